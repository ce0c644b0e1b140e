package org.liminix.isp;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** PPP over Ethernet (RFC 2516): headers and tags. */
final class Pppoe {
  static final int DISCOVERY = 0x8863;
  static final int SESSION = 0x8864;

  static final int HEADER = 6;

  static final int PADI = 0x09;
  static final int PADO = 0x07;
  static final int PADR = 0x19;
  static final int PADS = 0x65;
  static final int PADT = 0xa7;
  static final int SESSION_DATA = 0;

  static final int END_OF_LIST = 0x0000;
  static final int SERVICE_NAME = 0x0101;
  static final int AC_NAME = 0x0102;
  static final int HOST_UNIQ = 0x0103;
  static final int AC_COOKIE = 0x0104;
  static final int RELAY_SESSION_ID = 0x0110;

  /** RFC 4638 section 4. */
  static final int MAX_PAYLOAD = 0x0120;

  static final int SERVICE_NAME_ERROR = 0x0201;
  static final int AC_SYSTEM_ERROR = 0x0202;
  static final int GENERIC_ERROR = 0x0203;

  private static final int VERSION_AND_TYPE = 0x11;

  private Pppoe() {}

  /**
   * Whether a PPPoE packet begins at the buffer's position. The limit moves to its end, away from
   * padding.
   */
  static boolean accept(ByteBuffer packet) {
    if (packet.remaining() < HEADER || packet.get(packet.position()) != VERSION_AND_TYPE) {
      return false;
    }
    int length = Short.toUnsignedInt(packet.getShort(packet.position() + 4));
    if (length > packet.remaining() - HEADER) {
      return false;
    }
    packet.limit(packet.position() + HEADER + length);
    return true;
  }

  static int code(ByteBuffer packet) {
    return Byte.toUnsignedInt(packet.get(packet.position() + 1));
  }

  static int sessionId(ByteBuffer packet) {
    return Short.toUnsignedInt(packet.getShort(packet.position() + 2));
  }

  static void putHeader(ByteBuffer out, int code, int sessionId, int length) {
    out.put((byte) VERSION_AND_TYPE)
        .put((byte) code)
        .putShort((short) sessionId)
        .putShort((short) length);
  }

  /**
   * A tag of a discovery packet (RFC 2516 appendix A).
   *
   * @param value read-only; a text, or bytes that mean something to one side only
   */
  record Tag(int type, ByteBuffer value) {
    static Tag ofShort(int type, int value) {
      return new Tag(type, ByteBuffer.allocate(Short.BYTES).putShort((short) value).flip());
    }

    static Tag of(int type, String text) {
      return new Tag(type, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    String text() {
      return StandardCharsets.UTF_8.decode(value.duplicate()).toString();
    }
  }

  /** The tags after the header of an accepted packet; empty if they are malformed. */
  static Optional<List<Tag>> tags(ByteBuffer packet) {
    ByteBuffer rest = packet.duplicate().position(packet.position() + HEADER);
    List<Tag> tags = new ArrayList<>();
    while (rest.hasRemaining()) {
      if (rest.remaining() < 4) {
        return Optional.empty();
      }
      int type = Short.toUnsignedInt(rest.getShort());
      int length = Short.toUnsignedInt(rest.getShort());
      if (length > rest.remaining()) {
        return Optional.empty();
      }
      if (type == END_OF_LIST) {
        break;
      }
      byte[] value = new byte[length];
      rest.get(value);
      tags.add(new Tag(type, ByteBuffer.wrap(value).asReadOnlyBuffer()));
    }
    return Optional.of(tags);
  }

  static Optional<Tag> find(List<Tag> tags, int type) {
    for (Tag tag : tags) {
      if (tag.type() == type) {
        return Optional.of(tag);
      }
    }
    return Optional.empty();
  }

  static int length(List<Tag> tags) {
    int length = 0;
    for (Tag tag : tags) {
      length += 4 + tag.value().remaining();
    }
    return length;
  }

  static void putTags(ByteBuffer out, List<Tag> tags) {
    for (Tag tag : tags) {
      out.putShort((short) tag.type()).putShort((short) tag.value().remaining());
      out.put(tag.value().duplicate());
    }
  }
}
