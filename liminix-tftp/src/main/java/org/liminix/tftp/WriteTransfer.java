package org.liminix.tftp;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.liminix.tftp.internal.Link;
import org.liminix.tftp.internal.Negotiation;
import org.liminix.tftp.internal.Receiver;
import org.liminix.tftp.internal.RequestPacket;
import org.liminix.tftp.internal.Sink;
import org.liminix.tftp.internal.Wire;

/** A client stores. */
final class WriteTransfer extends ServerTransfer implements Receiver.Owner {
  private Negotiation terms = Negotiation.none();
  private @Nullable Receiver receiver;

  WriteTransfer(
      ServerEngine engine,
      RequestPacket packet,
      TftpTransfer record,
      @Nullable ServerTransfer predecessor) {
    super(engine, packet, record, predecessor);
  }

  @Override
  Closeable open() {
    Uploads uploads = engine.spec().uploads();
    if (uploads == null) {
      throw new TftpException(TftpError.ACCESS_VIOLATION, "This server takes no files");
    }
    return uploads.open(record.request());
  }

  @Override
  void begin(Link link, Closeable content, long nowNanos) {
    terms = Negotiation.answer(packet, -1, engine.spec().limits());
    record.terms(terms.blockSize(), terms.window(), terms.size());
    receiver = new Receiver(link, (Sink) content, terms, timer, this);
    answer();
    timer.sent(nowNanos);
  }

  private void answer() {
    link().send(terms.answer().isEmpty() ? Wire.ack(0) : Wire.oack(terms.answer()));
  }

  @Override
  void handle(int opcode, ByteBuffer datagram, long nowNanos) {
    if (opcode == Wire.DATA && receiver != null && answered()) {
      receiver.received(datagram, nowNanos);
    }
  }

  @Override
  void afterEnd(ByteBuffer datagram) {
    if (Wire.opcode(datagram) == Wire.DATA && Wire.number(datagram) >= 0 && receiver != null) {
      receiver.received(datagram, System.nanoTime());
    }
  }

  @Override
  void repeat() {
    if (receiver != null && receiver.started()) {
      receiver.retry();
    } else {
      record.repeated(1);
      answer();
    }
  }

  @Override
  public void writable() {}

  @Override
  public void repeated() {
    record.repeated(1);
  }

  @Override
  public void sinkFailed(IOException cause) {
    TftpException failure = Uploads.failure(record.request(), cause);
    fail(failure.error().orElse(TftpError.UNDEFINED), String.valueOf(failure.getMessage()), cause);
  }

  @Override
  public void completed() {
    end(TftpTransfer.State.COMPLETED, null, "");
  }

  /** The last acknowledgement may get lost, and the client would never know that it is done. */
  @Override
  boolean lingers(TftpTransfer.State state) {
    if (state != TftpTransfer.State.COMPLETED) {
      return false;
    }
    engine.linger(this);
    return true;
  }

  @Override
  void release() {}
}
