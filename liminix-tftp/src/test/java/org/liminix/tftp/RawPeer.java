package org.liminix.tftp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** A client that does exactly what a test tells it, byte by byte, over a socket of its own. */
final class RawPeer implements AutoCloseable {
  static final int RRQ = 1;
  static final int WRQ = 2;
  static final int DATA = 3;
  static final int ACK = 4;
  static final int ERROR = 5;
  static final int OACK = 6;

  private static final int PATIENCE_MILLIS = 20_000;

  private final DatagramSocket socket;
  private final InetSocketAddress server;
  private SocketAddress transfer;
  private int acknowledged = -1;
  private int sent = -1;
  private int repeats;

  RawPeer(InetSocketAddress server) {
    this(server, 0);
  }

  RawPeer(InetSocketAddress server, int port) {
    this(server, new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
  }

  RawPeer(InetSocketAddress server, InetSocketAddress own) {
    try {
      this.socket = new DatagramSocket(own);
      socket.setReceiveBufferSize(4 << 20);
      this.server =
          server.getAddress().isAnyLocalAddress()
              ? new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getPort())
              : server;
      this.transfer = this.server;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A packet that came back. */
  static final class Reply {
    private final byte[] bytes;
    private final InetSocketAddress source;

    private Reply(byte[] bytes, InetSocketAddress source) {
      this.bytes = bytes;
      this.source = source;
    }

    InetSocketAddress source() {
      return source;
    }

    int length() {
      return bytes.length;
    }

    int opcode() {
      return ByteBuffer.wrap(bytes).getShort(0) & 0xffff;
    }

    int number() {
      return ByteBuffer.wrap(bytes).getShort(2) & 0xffff;
    }

    byte[] payload() {
      return Arrays.copyOfRange(bytes, 4, bytes.length);
    }

    String message() {
      byte[] text = payload();
      assertThat(text[text.length - 1]).as("the message ends with a zero byte").isZero();
      return new String(text, 0, text.length - 1, StandardCharsets.UTF_8);
    }

    Map<String, String> options() {
      assertThat(opcode()).as("OACK, not %s", this).isEqualTo(OACK);
      String[] strings =
          new String(bytes, 2, bytes.length - 2, StandardCharsets.US_ASCII).split("\0", -1);
      Map<String, String> options = new LinkedHashMap<>();
      for (int i = 0; i + 1 < strings.length; i += 2) {
        assertThat(options.put(strings[i], strings[i + 1])).as("answered once").isNull();
      }
      return options;
    }

    Reply isData(int block) {
      assertThat(opcode()).as("DATA, not %s", this).isEqualTo(DATA);
      assertThat(number()).isEqualTo(block);
      return this;
    }

    Reply isAck(int block) {
      assertThat(opcode()).as("ACK, not %s", this).isEqualTo(ACK);
      assertThat(number()).isEqualTo(block);
      return this;
    }

    Reply isError(int code) {
      assertThat(opcode()).as("ERROR, not %s", this).isEqualTo(ERROR);
      assertThat(number()).as("code of %s", this).isEqualTo(code);
      assertThat(message()).isNotBlank();
      return this;
    }

    @Override
    public String toString() {
      return "opcode "
          + opcode()
          + " number "
          + number()
          + ", "
          + bytes.length
          + " bytes"
          + (opcode() == ERROR ? " " + message() : "");
    }
  }

  int port() {
    return socket.getLocalPort();
  }

  RawPeer read(String file, String... options) {
    return request(RRQ, file, "octet", options);
  }

  RawPeer write(String file, String... options) {
    return request(WRQ, file, "octet", options);
  }

  RawPeer request(int opcode, String file, String mode, String... options) {
    forgetTransfer();
    return sendTo(server, requestBytes(opcode, file, mode, options));
  }

  static byte[] requestBytes(int opcode, String file, String mode, String... options) {
    StringBuilder text = new StringBuilder(file).append('\0').append(mode).append('\0');
    for (String option : options) {
      text.append(option).append('\0');
    }
    byte[] strings = text.toString().getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(2 + strings.length).putShort((short) opcode).put(strings).array();
  }

  /** Sends these bytes to the server's request port. */
  RawPeer sendRequest(byte[] bytes) {
    forgetTransfer();
    return sendTo(server, bytes);
  }

  RawPeer sendTo(SocketAddress destination, byte[] bytes) {
    try {
      socket.send(new DatagramPacket(bytes, bytes.length, destination));
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sends these bytes to the transfer's port. */
  RawPeer send(byte[] bytes) {
    return sendTo(transfer, bytes);
  }

  private void forgetTransfer() {
    transfer = server;
    acknowledged = -1;
    sent = -1;
  }

  RawPeer ack(int block) {
    acknowledged = block;
    return send(numbered(ACK, block, new byte[0]));
  }

  RawPeer data(int block, byte[] payload) {
    sent = block;
    return send(numbered(DATA, block, payload));
  }

  RawPeer error(int code, String message) {
    return send(numbered(ERROR, code, (message + "\0").getBytes(StandardCharsets.UTF_8)));
  }

  static byte[] numbered(int opcode, int number, byte[] payload) {
    return ByteBuffer.allocate(4 + payload.length)
        .putShort((short) opcode)
        .putShort((short) number)
        .put(payload)
        .array();
  }

  /**
   * The next packet; its source becomes the port of the transfer. What the server says again
   * because this side was slow to react, as tests on a busy machine are, is passed over.
   */
  Reply receive() {
    Reply reply = receiveStray();
    while (isOutdated(reply)) {
      repeats++;
      reply = receiveStray();
    }
    transfer = reply.source();
    return reply;
  }

  private boolean isOutdated(Reply reply) {
    return reply.source().equals(transfer)
        && ((reply.opcode() == DATA
                && acknowledged > 0
                && ((acknowledged - reply.number()) & 0xffff) < 16)
            || (reply.opcode() == ACK && sent > 0 && reply.number() == sent - 1));
  }

  /** How many packets were passed over. */
  int repeats() {
    return repeats;
  }

  /** The next packet, from wherever. */
  Reply receiveStray() {
    byte[] buffer = new byte[70_000];
    DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
    try {
      socket.setSoTimeout(PATIENCE_MILLIS);
      socket.receive(packet);
    } catch (SocketTimeoutException e) {
      throw new AssertionError("no answer within " + PATIENCE_MILLIS + " ms", e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Reply(
        Arrays.copyOf(buffer, packet.getLength()), (InetSocketAddress) packet.getSocketAddress());
  }

  /** Fetches a file in lock-step, as any client would. */
  byte[] fetch(String file, String... options) {
    return fetchAs("octet", file, options);
  }

  private static boolean isEarlier(int number, int block, int window) {
    int behind = (block - number) & 0xffff;
    return behind > 0 && behind <= window;
  }

  byte[] fetchAs(String mode, String file, String... options) {
    request(RRQ, file, mode, options);
    Reply reply = receive();
    int size = 512;
    int window = 1;
    if (reply.opcode() == OACK) {
      for (Map.Entry<String, String> option : reply.options().entrySet()) {
        switch (option.getKey()) {
          case "blksize" -> size = Integer.parseInt(option.getValue());
          case "windowsize" -> window = Integer.parseInt(option.getValue());
          default -> {}
        }
      }
      ack(0);
      reply = receive();
    }
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    for (int block = 1; ; block++, reply = receive()) {
      while (reply.opcode() == DATA && isEarlier(reply.number(), block, window)) {
        reply = receive(); // sent again because this side was slow
      }
      reply.isData(block & 0xffff);
      content.writeBytes(reply.payload());
      boolean last = reply.payload().length < size;
      if (last || block % window == 0) {
        ack(block);
      }
      if (last) {
        return content.toByteArray();
      }
    }
  }

  @Override
  public void close() {
    socket.close();
  }
}
