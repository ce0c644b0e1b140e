package org.liminix.tftp.internal;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import org.liminix.net.EventLoop;

/** Sends more than the loopback takes at once, and says what became of it. */
final class SlowLoopback implements Link.Handler {
  static final int PACKET = 1472;
  static final int PACKETS_IN_RUN = 40;
  static final int RUNS = 12;

  private static final int BYTES_IN_RUN = (PACKETS_IN_RUN - 1) * PACKET + PACKET / 2;

  private final ByteBuffer run = ByteBuffer.allocateDirect(BYTES_IN_RUN);
  private final Link link;
  private int runs;
  private int blocked;

  private SlowLoopback(Link.Factory ports, InetSocketAddress peer) {
    this.link = ports.open(peer, this);
    fill();
  }

  /** Takes the way of sending; prints how often the port was full. */
  public static void main(String[] arguments) throws IOException {
    BulkSending sending =
        switch (arguments[0]) {
          case "segments" -> new LinuxBulkSending(true);
          case "messages" -> new LinuxBulkSending(false);
          default -> BulkSending.NONE;
        };
    sending.prepare();
    InetAddress here = InetAddress.getLoopbackAddress();
    try (EventLoop loop = EventLoop.start("slow");
        DatagramChannel receiver = DatagramChannel.open().bind(new InetSocketAddress(here, 0))) {
      InetSocketAddress peer = (InetSocketAddress) receiver.getLocalAddress();
      Link.Factory ports = new UdpLink.Opener(loop, here, sending);
      SlowLoopback sender = loop.compute(() -> new SlowLoopback(ports, peer));
      loop.call(sender::writable);
      ByteBuffer packet = ByteBuffer.allocate(2 * BYTES_IN_RUN);
      for (int number = 0; number < RUNS * PACKETS_IN_RUN; number++) {
        packet.clear();
        receiver.receive(packet);
        boolean last = number % PACKETS_IN_RUN == PACKETS_IN_RUN - 1;
        if (packet.position() != (last ? PACKET / 2 : PACKET) || packet.getInt(0) != number) {
          throw new IllegalStateException(
              "Packet " + number + " is " + packet + " of number " + packet.getInt(0));
        }
      }
      System.out.println(loop.compute(() -> sender.blocked));
      loop.call(() -> sender.link.close());
    }
  }

  private void fill() {
    run.clear();
    for (int i = 0; i < PACKETS_IN_RUN; i++) {
      run.putInt(i * PACKET, runs * PACKETS_IN_RUN + i);
    }
  }

  @Override
  public void writable() {
    while (runs < RUNS) {
      if (!link.send(run, PACKET)) {
        blocked++;
        return;
      }
      runs++;
      fill();
    }
  }

  @Override
  public void received(ByteBuffer packet) {}

  @Override
  public void strayed(ByteBuffer packet, InetSocketAddress source) {}

  @Override
  public void unreachable() {}
}
