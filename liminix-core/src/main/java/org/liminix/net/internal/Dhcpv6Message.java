package org.liminix.net.internal;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A DHCPv6 message between client and server (RFC 8415 section 8), which no relay has wrapped.
 *
 * @param transaction 24 bits, the same in question and answer
 * @param options in their order; some occur more than once
 */
public record Dhcpv6Message(int type, int transaction, List<Option> options) {
  public static final int CLIENT_PORT = 546;
  public static final int SERVER_PORT = 547;

  /** {@code ff02::1:2}. */
  public static final Ipv6Address ALL_SERVERS = new Ipv6Address(0xff02L << 48, 0x1_0002);

  /** Values of the type (RFC 8415 section 7.3). */
  public static final int SOLICIT = 1;

  public static final int ADVERTISE = 2;
  public static final int REQUEST = 3;
  public static final int CONFIRM = 4;
  public static final int RENEW = 5;
  public static final int REBIND = 6;
  public static final int REPLY = 7;
  public static final int RELEASE = 8;
  public static final int DECLINE = 9;
  public static final int INFORMATION_REQUEST = 11;

  /** Codes of options (RFC 8415 section 21, RFC 3646). */
  public static final int CLIENT_ID = 1;

  public static final int SERVER_ID = 2;
  public static final int IA_NA = 3;
  public static final int IA_ADDRESS = 5;
  public static final int OPTION_REQUEST = 6;
  public static final int STATUS_CODE = 13;
  public static final int RAPID_COMMIT = 14;
  public static final int DNS_SERVERS = 23;
  public static final int IA_PD = 25;
  public static final int IA_PREFIX = 26;

  /** Values of {@link #STATUS_CODE} (RFC 8415 section 21.13). */
  public static final int SUCCESS = 0;

  public static final int NO_ADDRESS_AVAILABLE = 2;
  public static final int NO_BINDING = 3;
  public static final int NOT_ON_LINK = 4;
  public static final int NO_PREFIX_AVAILABLE = 6;

  private static final int HEADER = 4;
  private static final int IA_HEADER = 12;
  private static final int LIFETIMES = 8;

  public Dhcpv6Message {
    options = List.copyOf(options);
  }

  /**
   * An option.
   *
   * @param data read-only; use a duplicate
   */
  public record Option(int code, ByteBuffer data) {
    public Option {
      data = data.slice().asReadOnlyBuffer();
    }

    public static Option of(int code, byte... data) {
      return new Option(code, ByteBuffer.wrap(data));
    }
  }

  /**
   * An identity association: what a client wants to have together (RFC 8415 sections 21.4, 21.21).
   *
   * @param code {@link #IA_NA} or {@link #IA_PD}
   * @param t1 seconds until it is to be renewed
   * @param t2 seconds until any server is to be asked
   */
  public record Association(int code, int id, long t1, long t2, List<Option> options) {
    public Option toOption() {
      ByteBuffer data = ByteBuffer.allocate(IA_HEADER + length(options));
      data.putInt(id).putInt((int) t1).putInt((int) t2);
      put(data, options);
      return new Option(code, data.flip());
    }

    /** The prefixes, or addresses as prefixes of 128 bits, that are in it. */
    public List<Ipv6Prefix> prefixes() {
      List<Ipv6Prefix> prefixes = new ArrayList<>();
      for (Option option : options) {
        ByteBuffer data = option.data();
        if (option.code() == IA_PREFIX && data.remaining() >= LIFETIMES + 1 + Ipv6Address.LENGTH) {
          int length = Byte.toUnsignedInt(data.get(LIFETIMES));
          if (length <= 128) {
            prefixes.add(new Ipv6Prefix(Ipv6Address.read(data, LIFETIMES + 1), length));
          }
        } else if (option.code() == IA_ADDRESS
            && data.remaining() >= Ipv6Address.LENGTH + LIFETIMES) {
          prefixes.add(new Ipv6Prefix(Ipv6Address.read(data, 0), 128));
        }
      }
      return prefixes;
    }
  }

  /** What an association has: a prefix, or an address with {@link #IA_NA}. */
  public static Option holding(int association, Ipv6Prefix prefix, long preferred, long valid) {
    ByteBuffer data = ByteBuffer.allocate(LIFETIMES + 1 + Ipv6Address.LENGTH);
    if (association == IA_NA) {
      prefix.address().put(data);
      data.putInt((int) preferred).putInt((int) valid);
      return new Option(IA_ADDRESS, data.flip());
    }
    data.putInt((int) preferred).putInt((int) valid).put((byte) prefix.length());
    prefix.address().put(data);
    return new Option(IA_PREFIX, data.flip());
  }

  public static Option status(int code) {
    return Option.of(STATUS_CODE, (byte) (code >> 8), (byte) code);
  }

  /** Parses a UDP payload; empty if it is no such message. */
  public static Optional<Dhcpv6Message> parse(ByteBuffer payload) {
    if (payload.remaining() < HEADER) {
      return Optional.empty();
    }
    int first = payload.getInt(payload.position());
    return options(payload.duplicate().position(payload.position() + HEADER))
        .map(options -> new Dhcpv6Message(first >>> 24, first & 0xff_ffff, options));
  }

  private static Optional<List<Option>> options(ByteBuffer data) {
    List<Option> options = new ArrayList<>();
    while (data.hasRemaining()) {
      if (data.remaining() < 4) {
        return Optional.empty();
      }
      int code = Short.toUnsignedInt(data.getShort());
      int length = Short.toUnsignedInt(data.getShort());
      if (length > data.remaining()) {
        return Optional.empty();
      }
      ByteBuffer copy = ByteBuffer.allocate(length);
      copy.put(data.duplicate().limit(data.position() + length)).flip();
      options.add(new Option(code, copy));
      data.position(data.position() + length);
    }
    return Optional.of(options);
  }

  /** The message as a UDP payload. */
  public ByteBuffer encode() {
    ByteBuffer out = ByteBuffer.allocate(HEADER + length(options));
    out.putInt(type << 24 | transaction);
    put(out, options);
    return out.flip();
  }

  private static int length(List<Option> options) {
    return options.stream().mapToInt(option -> 4 + option.data().remaining()).sum();
  }

  private static void put(ByteBuffer out, List<Option> options) {
    for (Option option : options) {
      out.putShort((short) option.code()).putShort((short) option.data().remaining());
      out.put(option.data().duplicate());
    }
  }

  /** The first option of a kind. */
  public Optional<ByteBuffer> find(int code) {
    return options.stream().filter(option -> option.code() == code).findFirst().map(Option::data);
  }

  /** Whether it asks for an option (RFC 8415 section 21.7). */
  public boolean requests(int code) {
    ByteBuffer codes = find(OPTION_REQUEST).map(ByteBuffer::duplicate).orElse(null);
    while (codes != null && codes.remaining() >= Short.BYTES) {
      if (Short.toUnsignedInt(codes.getShort()) == code) {
        return true;
      }
    }
    return false;
  }

  /** The identity associations for addresses and prefixes that are well-formed. */
  public List<Association> associations() {
    List<Association> associations = new ArrayList<>();
    for (Option option : options) {
      ByteBuffer data = option.data().duplicate();
      if ((option.code() == IA_NA || option.code() == IA_PD) && data.remaining() >= IA_HEADER) {
        int id = data.getInt();
        long t1 = Integer.toUnsignedLong(data.getInt());
        long t2 = Integer.toUnsignedLong(data.getInt());
        options(data)
            .ifPresent(
                nested -> associations.add(new Association(option.code(), id, t1, t2, nested)));
      }
    }
    return associations;
  }
}
