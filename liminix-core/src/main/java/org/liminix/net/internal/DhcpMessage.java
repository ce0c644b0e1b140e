package org.liminix.net.internal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A DHCP message (RFC 2131) with its options (RFC 2132).
 *
 * @param request whether a client sent it
 * @param transaction {@code xid}
 * @param broadcast whether the client cannot hear answers to an address it does not have yet
 * @param clientAddress {@code ciaddr}, 0 if the client has none yet
 * @param yourAddress {@code yiaddr}
 * @param nextServer {@code siaddr}, from which to boot
 * @param relay {@code giaddr}, of the agent that passed it on
 * @param hardwareAddress {@code chaddr}
 * @param bootFile {@code file}
 * @param options by code; parts of a long option are joined (RFC 3396)
 */
public record DhcpMessage(
    boolean request,
    int transaction,
    boolean broadcast,
    int clientAddress,
    int yourAddress,
    int nextServer,
    int relay,
    long hardwareAddress,
    String bootFile,
    Map<Integer, byte[]> options) {
  private static final Logger log = LoggerFactory.getLogger(DhcpMessage.class);

  public static final int SERVER_PORT = 67;
  public static final int CLIENT_PORT = 68;

  public static final int SUBNET_MASK = 1;
  public static final int ROUTER = 3;
  public static final int DNS = 6;
  public static final int HOST_NAME = 12;
  public static final int DOMAIN = 15;
  public static final int BROADCAST_ADDRESS = 28;
  public static final int REQUESTED_ADDRESS = 50;
  public static final int LEASE_TIME = 51;
  public static final int OVERLOAD = 52;
  public static final int MESSAGE_TYPE = 53;
  public static final int SERVER_ID = 54;
  public static final int PARAMETERS = 55;
  public static final int MESSAGE = 56;
  public static final int MAX_SIZE = 57;
  public static final int RENEWAL_TIME = 58;
  public static final int REBINDING_TIME = 59;
  public static final int CLIENT_ID = 61;
  public static final int TFTP_SERVER = 66;
  public static final int BOOT_FILE = 67;
  public static final int RELAY_INFORMATION = 82;
  public static final int ROUTES = 121;

  /** Values of {@link #MESSAGE_TYPE}. */
  public static final int DISCOVER = 1;

  public static final int OFFER = 2;
  public static final int REQUEST = 3;
  public static final int DECLINE = 4;
  public static final int ACK = 5;
  public static final int NAK = 6;
  public static final int RELEASE = 7;
  public static final int INFORM = 8;

  private static final int FIXED_LENGTH = 236;
  private static final int SNAME_AT = 44;
  private static final int SNAME_LENGTH = 64;
  private static final int FILE_AT = 108;
  private static final int FILE_LENGTH = 128;
  private static final int BROADCAST_FLAG = 0x8000;
  private static final int MAX_OPTION = 255;
  private static final int MAGIC_COOKIE = 0x6382_5363;
  private static final int PAD = 0;
  private static final int END = 255;

  /** Some servers drop anything shorter, as BOOTP (RFC 951) had it. */
  private static final int MIN_LENGTH = 300;

  /** What the parts of a netboot and of a relay have no say in. */
  public DhcpMessage(
      boolean request,
      int transaction,
      int clientAddress,
      int yourAddress,
      long hardwareAddress,
      Map<Integer, byte[]> options) {
    this(
        request,
        transaction,
        false,
        clientAddress,
        yourAddress,
        0,
        0,
        hardwareAddress,
        "",
        options);
  }

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
    int at = FIXED_LENGTH + Integer.BYTES;
    if (!readOptions(payload.slice(start + at, payload.remaining() - at), options)) {
      return Optional.empty();
    }
    // RFC 2132 section 9.3: options may go on in these fields, in this order.
    byte[] overload = options.getOrDefault(OVERLOAD, new byte[] {0});
    boolean fileIsOptions = overload.length == 1 && (overload[0] & 1) != 0;
    boolean snameIsOptions = overload.length == 1 && (overload[0] & 2) != 0;
    if ((fileIsOptions && !readOptions(payload.slice(start + FILE_AT, FILE_LENGTH), options))
        || (snameIsOptions
            && !readOptions(payload.slice(start + SNAME_AT, SNAME_LENGTH), options))) {
      return Optional.empty();
    }
    return Optional.of(
        new DhcpMessage(
            op == 1,
            payload.getInt(start + 4),
            (payload.getShort(start + 10) & BROADCAST_FLAG) != 0,
            payload.getInt(start + 12),
            payload.getInt(start + 16),
            payload.getInt(start + 20),
            payload.getInt(start + 24),
            Ethernet.mac(payload, start + 28),
            fileIsOptions ? "" : string(payload.slice(start + FILE_AT, FILE_LENGTH)),
            options));
  }

  /** Returns false if an option does not end where the field does. */
  private static boolean readOptions(ByteBuffer rest, Map<Integer, byte[]> options) {
    while (rest.hasRemaining()) {
      int code = Byte.toUnsignedInt(rest.get());
      if (code == END) {
        return true;
      }
      if (code == PAD) {
        continue;
      }
      if (!rest.hasRemaining()) {
        return false;
      }
      byte[] value = new byte[Byte.toUnsignedInt(rest.get())];
      if (rest.remaining() < value.length) {
        return false;
      }
      rest.get(value);
      options.merge(code, value, DhcpMessage::joined);
    }
    return true;
  }

  /** A text that a zero ends. */
  private static String string(ByteBuffer field) {
    int length = 0;
    while (length < field.limit() && field.get(length) != 0) {
      length++;
    }
    return StandardCharsets.UTF_8.decode(field.limit(length)).toString();
  }

  private static byte[] joined(byte[] head, byte[] tail) {
    return ByteBuffer.allocate(head.length + tail.length).put(head).put(tail).array();
  }

  /** The message as a UDP payload of any length. */
  public ByteBuffer encode() {
    return encode(Ipv4.MAX_PACKET);
  }

  /**
   * The message as a UDP payload. Options that do not fit go into the fields {@code file} and
   * {@code sname}, where these are free (RFC 2131 section 4.1); what fits nowhere is left out.
   *
   * @param most how many bytes it may have
   */
  public ByteBuffer encode(int most) {
    int length = FIXED_LENGTH + Integer.BYTES + 1;
    for (byte[] value : options.values()) {
      length += encodedLength(value);
    }
    boolean overloads = length > most;
    ByteBuffer out = ByteBuffer.allocate(Math.max(MIN_LENGTH, Math.min(length, most)));
    out.put((byte) (request ? 1 : 2)).put((byte) 1).put((byte) 6).put((byte) 0);
    out.putInt(transaction).putShort((short) 0).putShort((short) (broadcast ? BROADCAST_FLAG : 0));
    out.putInt(clientAddress).putInt(yourAddress).putInt(nextServer).putInt(relay);
    Ethernet.putMac(out, hardwareAddress);
    byte[] name = bootFile.getBytes(StandardCharsets.UTF_8);
    out.put(FILE_AT, name, 0, Math.min(name.length, FILE_LENGTH - 1));
    out.position(FIXED_LENGTH).putInt(MAGIC_COOKIE);
    ByteBuffer file = out.slice(FILE_AT, overloads && name.length == 0 ? FILE_LENGTH : 0);
    ByteBuffer sname = out.slice(SNAME_AT, overloads ? SNAME_LENGTH : 0);
    options.forEach(
        (code, value) -> {
          if (!put(out, code, value, overloads ? 4 : 1)
              && !put(file, code, value, 1)
              && !put(sname, code, value, 1)) {
            log.warn("DHCP option {} of {} bytes finds no room in {}", code, value.length, most);
          }
        });
    int overload = (file.position() > 0 ? 1 : 0) | (sname.position() > 0 ? 2 : 0);
    if (overload != 0) {
      out.put((byte) OVERLOAD).put((byte) 1).put((byte) overload);
    }
    out.put((byte) END);
    endIfUsed(file);
    endIfUsed(sname);
    return out.position(0);
  }

  private static void endIfUsed(ByteBuffer field) {
    if (field.position() > 0) {
      field.put((byte) END);
    }
  }

  private static int encodedLength(byte[] value) {
    return value.length + 2 * Math.max(1, (value.length + MAX_OPTION - 1) / MAX_OPTION);
  }

  /** Writes an option, a long one in parts (RFC 3396), if so much is left behind it. */
  private static boolean put(ByteBuffer out, int code, byte[] value, int left) {
    if (encodedLength(value) + left > out.remaining()) {
      return false;
    }
    int at = 0;
    do {
      int part = Math.min(MAX_OPTION, value.length - at);
      out.put((byte) code).put((byte) part).put(value, at, part);
      at += part;
    } while (at < value.length);
    return true;
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
