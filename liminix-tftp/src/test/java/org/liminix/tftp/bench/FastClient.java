package org.liminix.tftp.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.Random;
import java.util.function.LongConsumer;

/**
 * The one client every server is measured with: it does as little as a client can. Counts bytes and
 * checks block numbers; content is checked by the tests.
 */
final class FastClient {
  private static final int OACK = 6;
  private static final int DATA = 3;

  private FastClient() {}

  /** Where a server takes requests, and the name under which it has the file. */
  record Target(InetSocketAddress server, String file) {}

  private static ByteBuffer request(Target target, int blockSize, int window) {
    StringBuilder text = new StringBuilder(target.file()).append("\0octet\0");
    text.append("blksize\0").append(blockSize).append('\0');
    if (window > 1) {
      text.append("windowsize\0").append(window).append('\0');
    }
    byte[] strings = text.toString().getBytes(US_ASCII);
    return ByteBuffer.allocateDirect(2 + strings.length).putShort((short) 1).put(strings).flip();
  }

  /** Asks until there is an answer: peers do not tell when they listen. */
  static void awaitAnswer(Target target) throws IOException {
    try (DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      socket.setSoTimeout(100);
      byte[] request = "\0\1nothing\0octet\0".getBytes(US_ASCII);
      for (int attempt = 0; attempt < 100; attempt++) {
        try {
          socket.send(new java.net.DatagramPacket(request, request.length, target.server()));
          socket.receive(new java.net.DatagramPacket(new byte[600], 600));
          return;
        } catch (SocketTimeoutException silent) {
          // not up yet
        }
      }
      throw new IOException("No server answers at " + target.server());
    }
  }

  /**
   * Fetches the file once, on a thread that waits; returns bytes per second.
   *
   * @param complete told how many bytes have come, before the last of them are acknowledged: all
   *     that serves them is still there, and the clock has stopped
   */
  static double fetch(Target target, int blockSize, int window, LongConsumer complete)
      throws IOException {
    try (DatagramChannel channel = DatagramChannel.open(StandardProtocolFamily.INET)) {
      channel.setOption(StandardSocketOptions.SO_RCVBUF, 4 << 20);
      channel.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      ByteBuffer packet = ByteBuffer.allocateDirect(70_000);
      ByteBuffer ack = ByteBuffer.allocateDirect(4).putShort(0, (short) 4);
      long start = System.nanoTime();
      channel.send(request(target, blockSize, window), target.server());
      SocketAddress peer = channel.receive(packet);
      channel.connect(peer);
      checkGranted(target, packet.flip(), blockSize, window);
      acknowledge(channel, ack, 0);
      int block = 0;
      long bytes = 0;
      int unacknowledged = 0;
      while (true) {
        packet.clear();
        int length = channel.read(packet) - 4;
        if (packet.getShort(0) != DATA) {
          throw new IOException(target + " sent opcode " + packet.getShort(0));
        }
        if (packet.getShort(2) != (short) (block + 1)) {
          acknowledge(channel, ack, block);
          unacknowledged = 0;
          continue;
        }
        block++;
        bytes += length;
        if (length < blockSize) {
          double rate = bytes * 1e9 / (System.nanoTime() - start);
          complete.accept(bytes);
          acknowledge(channel, ack, block);
          return rate;
        }
        if (++unacknowledged == window) {
          unacknowledged = 0;
          acknowledge(channel, ack, block);
        }
      }
    }
  }

  /** Servers that grant less than was asked for are not to be compared. */
  private static void checkGranted(Target target, ByteBuffer oack, int blockSize, int window)
      throws IOException {
    String text = US_ASCII.decode(oack).toString().replace('\0', ' ');
    if (oack.getShort(0) != OACK
        || !text.contains("blksize " + blockSize + " ")
        || (window > 1 && !text.contains("windowsize " + window + " "))) {
      throw new IOException(
          target + " answered with opcode " + oack.getShort(0) + " " + text.trim());
    }
  }

  private static void acknowledge(DatagramChannel channel, ByteBuffer ack, int block)
      throws IOException {
    ack.clear().putShort(2, (short) block);
    channel.write(ack);
  }

  /** What became of many fetches at once. */
  record Crowd(int completed, double bytesPerSecond) {}

  /**
   * Fetches the file with many clients at once, all on this thread.
   *
   * @param holdAt the block at which every client stops and {@code held} runs, or 0
   * @param complete told how many bytes have come when the first client has all, before it says so
   */
  static Crowd crowd(
      Target target, int clients, int blockSize, int holdAt, Runnable held, LongConsumer complete)
      throws IOException {
    try (Selector selector = Selector.open()) {
      ByteBuffer packet = ByteBuffer.allocateDirect(70_000);
      ByteBuffer ack = ByteBuffer.allocateDirect(4).putShort(0, (short) 4);
      long start = System.nanoTime();
      for (int i = 0; i < clients; i++) {
        DatagramChannel channel = DatagramChannel.open(StandardProtocolFamily.INET);
        channel.configureBlocking(false);
        channel.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        channel.register(selector, SelectionKey.OP_READ, new One());
        channel.send(request(target, blockSize, 1), target.server());
      }
      long[] bytes = {0};
      int[] done = {0};
      int[] holding = {0};
      boolean released = holdAt == 0;
      while (done[0] < clients) {
        int ready =
            selector.select(
                key -> {
                  One one = (One) key.attachment();
                  DatagramChannel channel = (DatagramChannel) key.channel();
                  try {
                    packet.clear();
                    if (one.block < 0) {
                      SocketAddress peer = channel.receive(packet);
                      if (peer == null) {
                        return;
                      }
                      channel.connect(peer);
                      one.block = 0;
                      acknowledge(channel, ack, 0);
                      return;
                    }
                    int length = channel.read(packet) - 4;
                    if (length < 0 || packet.getShort(2) != (short) (one.block + 1)) {
                      return;
                    }
                    one.block++;
                    bytes[0] += length;
                    if (one.block == holdAt) {
                      holding[0]++;
                      return;
                    }
                    if (length < blockSize && done[0] == 0) {
                      complete.accept(bytes[0]);
                    }
                    acknowledge(channel, ack, one.block);
                    if (length < blockSize) {
                      done[0]++;
                      channel.close();
                    }
                  } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                  }
                },
                3_000);
        if (!released && holding[0] == clients) {
          released = true;
          held.run();
          for (SelectionKey key : selector.keys()) {
            acknowledge((DatagramChannel) key.channel(), ack, ((One) key.attachment()).block);
          }
        } else if (ready == 0) {
          repeat(selector, target, blockSize, ack);
        }
        if (System.nanoTime() - start > 60_000_000_000L) {
          break;
        }
      }
      double rate = bytes[0] * 1e9 / (System.nanoTime() - start);
      for (SelectionKey key : selector.keys()) {
        key.channel().close();
      }
      return new Crowd(done[0], rate);
    }
  }

  private static void repeat(Selector selector, Target target, int blockSize, ByteBuffer ack)
      throws IOException {
    for (SelectionKey key : selector.keys()) {
      One one = (One) key.attachment();
      DatagramChannel channel = (DatagramChannel) key.channel();
      if (!key.isValid()) {
        continue;
      }
      if (one.block < 0) {
        channel.send(request(target, blockSize, 1), target.server());
      } else {
        acknowledge(channel, ack, one.block);
      }
    }
  }

  private static final class One {
    private int block = -1;
  }

  /**
   * Fetches over a line that loses a share of the DATA and of the acknowledgements. Repeats its own
   * last packet after five seconds, as clients do; returns seconds.
   */
  static double lossy(Target target, int blockSize, double share, long seed) throws IOException {
    Random random = new Random(seed);
    try (DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      socket.setSoTimeout(5_000);
      ByteBuffer request = request(target, blockSize, 1);
      byte[] last = new byte[request.remaining()];
      request.get(last);
      SocketAddress peer = target.server();
      java.net.DatagramPacket packet = new java.net.DatagramPacket(new byte[70_000], 70_000);
      long start = System.nanoTime();
      socket.send(new java.net.DatagramPacket(last, last.length, peer));
      int block = -1;
      while (true) {
        try {
          packet.setLength(70_000);
          socket.receive(packet);
        } catch (SocketTimeoutException e) {
          socket.send(new java.net.DatagramPacket(last, last.length, peer));
          continue;
        }
        peer = packet.getSocketAddress();
        byte[] data = packet.getData();
        boolean oack = data[1] == OACK;
        if (!oack && random.nextDouble() < share) {
          continue;
        }
        int number = oack ? 0 : (data[2] & 0xff) << 8 | (data[3] & 0xff);
        if (number == ((block + 1) & 0xffff)) {
          block++;
        } else if (number != (block & 0xffff)) {
          continue;
        }
        last = new byte[] {0, 4, (byte) (block >> 8), (byte) block};
        boolean over = !oack && packet.getLength() - 4 < blockSize;
        if (random.nextDouble() >= share || over) {
          socket.send(new java.net.DatagramPacket(last, last.length, peer));
        }
        if (over) {
          return (System.nanoTime() - start) / 1e9;
        }
      }
    }
  }
}
