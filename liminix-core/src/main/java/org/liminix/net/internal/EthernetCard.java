package org.liminix.net.internal;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;
import org.liminix.net.FrameHandler;
import org.liminix.net.MacAddress;
import org.liminix.net.Segment;
import org.liminix.net.Station;

/**
 * A network card: what the protocols of a host share on one segment. It takes what is for it or for
 * a group. Confined to the loop of the segment.
 */
public final class EthernetCard implements FrameHandler {
  /** A protocol on the card. */
  @FunctionalInterface
  public interface Handler {
    /**
     * Something came for it.
     *
     * @param packet what follows the Ethernet header, padding included; valid during the call
     * @param sender the card it came from
     */
    void received(ByteBuffer packet, long sender);
  }

  private final EventLoop loop;
  private final long mac;
  private final Station station;
  private final Map<Integer, Handler> handlers = new HashMap<>();
  private final ByteBuffer frame = ByteBuffer.allocateDirect(Ethernet.HEADER + Ethernet.MTU);

  public EthernetCard(Segment segment, String name, MacAddress mac) {
    this.loop = segment.loop();
    this.mac = mac.toLong();
    this.station = segment.attach(name, this);
  }

  EventLoop loop() {
    return loop;
  }

  public long mac() {
    return mac;
  }

  /** Has packets of an EtherType given to a protocol. */
  void handle(int type, Handler handler) {
    handlers.put(type, handler);
  }

  @Override
  public void received(ByteBuffer frame) {
    long destination = Ethernet.destination(frame);
    boolean group = (destination >> 40 & 1) != 0;
    @Nullable Handler handler =
        destination == mac || group ? handlers.get(Ethernet.type(frame)) : null;
    if (handler != null) {
      long sender = Ethernet.source(frame);
      handler.received(frame.position(frame.position() + Ethernet.HEADER), sender);
    }
  }

  /** Sends one packet of at most 1500 bytes; its position is left alone. */
  void send(int type, long to, ByteBuffer packet) {
    frame.clear();
    Ethernet.putHeader(frame, to, mac, type);
    frame.put(packet.duplicate());
    station.send(frame.flip());
  }

  /** Takes the card off the segment. From any thread, idempotent. */
  public void close() {
    station.close();
  }
}
