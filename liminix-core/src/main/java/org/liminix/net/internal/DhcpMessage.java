package org.liminix.net.internal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A DHCP message (RFC 2131) with its options (RFC 2132).
 *
 * @param request whether a client sent it
 * @param transaction {@code xid}
 * @param clientAddress {@code ciaddr}, 0 if the client has none yet
 * @param yourAddress {@code yiaddr}
 * @param hardwareAddress {@code chaddr}
 * @param options by code; parts of a long option are joined (RFC 3396)
 */
public record DhcpMessage(
    boolean request,
    int transaction,
    int clientAddress,
    int yourAddress,
    long hardwareAddress,
    Map<Integer, byte[]> options) {

  public static final int SERVER_PORT = 67;
  public static final int CLIENT_PORT = 68;

  public static final int SUBNET_MASK = 1;
  public static final int ROUTER = 3;
  public static final int DNS = 6;
  public static final int HOST_NAME = 12;
  public static final int REQUESTED_ADDRESS = 50;
  public static final int LEASE_TIME = 51;
  public static final int MESSAGE_TYPE = 53;
  public static final int SERVER_ID = 54;
  public static final int PARAMETERS = 55;
  public static final int MESSAGE = 56;
  public static final int CLIENT_ID = 61;

  /** Values of {@link #MESSAGE_TYPE}. */
  public static final int DISCOVER = 1;

  public static final int OFFER = 2;
  public static final int REQUEST = 3;
  public static final int ACK = 5;
  public static final int NAK = 6;

  private static final int FIXED_LENGTH = 236;
  private static final int MAGIC_COOKIE = 0x6382_5363;
  private static final int PAD = 0;
  private static final int END = 255;

  /** Some servers drop anything shorter, as BOOTP (RFC 951) had it. */
  private static final int MIN_LENGTH = 300;

  /** Parses a UDP payload; empty if it is no DHCP message. */
  public static Optional<DhcpMessage> parse(ByteBuffer payload) {
    int start = payload.position();
    if (payload.remaining() < FIXED_LENGTH + Integer.BYTES
        || payload.getInt(start + FIXED_LENGTH) != MAGIC_COOKIE) {
      return Optional.empty();
    }
    int op = payload.get(start);
    if (op != 1 && op != 2) {
      return Optional.empty();
    }
    Map<Integer, byte[]> options = new TreeMap<>();
    ByteBuffer rest = payload.duplicate().position(start + FIXED_LENGTH + Integer.BYTES);
    while (rest.hasRemaining()) {
      int code = Byte.toUnsignedInt(rest.get());
      if (code == END) {
        break;
      }
      if (code == PAD) {
        continue;
      }
      if (!rest.hasRemaining()) {
        return Optional.empty();
      }
      byte[] value = new byte[Byte.toUnsignedInt(rest.get())];
      if (rest.remaining() < value.length) {
        return Optional.empty();
      }
      rest.get(value);
      options.merge(code, value, DhcpMessage::joined);
    }
    return Optional.of(
        new DhcpMessage(
            op == 1,
            payload.getInt(start + 4),
            payload.getInt(start + 12),
            payload.getInt(start + 16),
            Ethernet.mac(payload, start + 28),
            options));
  }

  private static byte[] joined(byte[] head, byte[] tail) {
    return ByteBuffer.allocate(head.length + tail.length).put(head).put(tail).array();
  }

  /** The message as a UDP payload. */
  public ByteBuffer encode() {
    int length = FIXED_LENGTH + Integer.BYTES + 1;
    for (byte[] value : options.values()) {
      length += 2 + value.length;
    }
    ByteBuffer out = ByteBuffer.allocate(Math.max(MIN_LENGTH, length));
    out.put((byte) (request ? 1 : 2)).put((byte) 1).put((byte) 6).put((byte) 0);
    out.putInt(transaction).putInt(0).putInt(clientAddress).putInt(yourAddress);
    out.position(28);
    Ethernet.putMac(out, hardwareAddress);
    out.position(FIXED_LENGTH);
    out.putInt(MAGIC_COOKIE);
    options.forEach((code, value) -> out.put(code.byteValue()).put((byte) value.length).put(value));
    out.put((byte) END);
    return out.position(0);
  }

  /** {@link #MESSAGE_TYPE}, or 0 if it has none. */
  public int type() {
    byte[] value = options.get(MESSAGE_TYPE);
    return value == null || value.length != 1 ? 0 : value[0];
  }

  /** The addresses in an option; none if it is absent or no list of addresses. */
  public List<Integer> addresses(int option) {
    byte[] value = options.getOrDefault(option, new byte[0]);
    List<Integer> addresses = new ArrayList<>();
    if (value.length % 4 == 0) {
      ByteBuffer buffer = ByteBuffer.wrap(value);
      while (buffer.hasRemaining()) {
        addresses.add(buffer.getInt());
      }
    }
    return addresses;
  }

  /** A number of seconds. */
  public Optional<Long> seconds(int option) {
    byte[] value = options.get(option);
    return value == null || value.length != 4
        ? Optional.empty()
        : Optional.of(Integer.toUnsignedLong(ByteBuffer.wrap(value).getInt()));
  }

  /** A text. */
  public Optional<String> text(int option) {
    return Optional.ofNullable(options.get(option))
        .map(value -> new String(value, StandardCharsets.UTF_8));
  }
}
