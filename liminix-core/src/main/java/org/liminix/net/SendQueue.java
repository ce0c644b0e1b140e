package org.liminix.net;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The frames that in-process stations of one segment have sent and the switch has not yet carried.
 * They are copied one behind the other into a buffer and carried in a later turn of the loop: two
 * stations that answer each other neither recurse nor keep the loop from its sockets, and nothing
 * is allocated per frame.
 */
final class SendQueue {
  private static final Logger log = LoggerFactory.getLogger(SendQueue.class);

  private static final int INITIAL_BYTES = 1 << 14;
  private static final int MAX_BYTES = 1 << 21;

  private final Segment segment;

  /** Confined to the loop: one collects while the other is carried. */
  private Batch collecting = new Batch();

  private Batch carried = new Batch();
  private boolean scheduled;

  SendQueue(Segment segment) {
    this.segment = segment;
  }

  void send(StationPort from, ByteBuffer frame) {
    if (segment.loop().inLoop()) {
      add(from, frame);
    } else {
      ByteBuffer copy = ByteBuffer.allocate(frame.remaining()).put(frame.duplicate()).flip();
      execute(() -> add(from, copy));
    }
  }

  private void add(StationPort from, ByteBuffer frame) {
    if (!collecting.add(from, frame)) {
      from.drop();
    } else if (!scheduled) {
      scheduled = true;
      execute(this::carry);
    }
  }

  private void execute(Runnable task) {
    try {
      segment.loop().execute(task);
    } catch (RejectedExecutionException e) {
      log.trace("A frame after the end of {}", segment, e);
    }
  }

  /** Carries what has been collected. On the loop. */
  void carry() {
    scheduled = false;
    Batch batch = collecting;
    collecting = carried;
    carried = batch;
    batch.carry(segment);
    segment.flush();
  }

  private static final class Batch {
    private ByteBuffer bytes = ByteBuffer.allocate(0); // until something is sent
    private ByteBuffer view = bytes.asReadOnlyBuffer();
    private final List<StationPort> senders = new ArrayList<>();

    boolean add(StationPort from, ByteBuffer frame) {
      int needed = Integer.BYTES + frame.remaining();
      if (bytes.remaining() < needed && !grow(bytes.position() + needed)) {
        return false;
      }
      int position = frame.position();
      bytes.putInt(frame.remaining()).put(frame);
      frame.position(position);
      senders.add(from);
      return true;
    }

    private boolean grow(int needed) {
      if (needed > MAX_BYTES) {
        return false;
      }
      int capacity =
          Math.min(MAX_BYTES, Math.max(needed, Math.max(INITIAL_BYTES, bytes.capacity() * 2)));
      bytes = ByteBuffer.allocateDirect(capacity).put(bytes.flip());
      view = bytes.asReadOnlyBuffer();
      return true;
    }

    void carry(Segment segment) {
      int position = 0;
      for (int i = 0; i < senders.size(); i++) {
        int start = position + Integer.BYTES;
        position = start + bytes.getInt(position);
        view.limit(position).position(start);
        segment.forward(senders.get(i), view);
      }
      senders.clear();
      bytes.clear();
      view.clear();
    }
  }
}
