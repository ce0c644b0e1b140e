package org.liminix.tftp.internal;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * A read or write request (RFC 1350 section 5, RFC 2347).
 *
 * @param opcode {@link Wire#RRQ} or {@link Wire#WRQ}
 * @param file the name as sent
 * @param netascii whether the mode is netascii rather than octet
 * @param options name as the client spelled it, and value, in the order sent; of an option sent
 *     twice the first
 */
public record RequestPacket(
    int opcode, String file, boolean netascii, Map<String, String> options) {

  /**
   * Reads a request whose opcode has been looked at.
   *
   * @throws MalformedPacketException if it has no name, or no mode that can be served
   */
  public static RequestPacket parse(ByteBuffer packet) throws MalformedPacketException {
    int opcode = Wire.opcode(packet);
    if (opcode != Wire.RRQ && opcode != Wire.WRQ) {
      throw new MalformedPacketException("Opcode " + opcode + " is not a request");
    }
    ByteBuffer rest = packet.duplicate();
    rest.position(rest.position() + 2);
    String file = string(rest, "The file name");
    String mode = string(rest, "The transfer mode").toLowerCase(Locale.ROOT);
    if (file.isEmpty()) {
      throw new MalformedPacketException("The file name is empty");
    }
    boolean netascii = mode.equals("netascii");
    if (!netascii && !mode.equals("octet")) {
      throw new MalformedPacketException(
          "Mode \"" + mode + "\" is not served; ask for octet or netascii");
    }
    return new RequestPacket(opcode, file, netascii, options(rest));
  }

  /**
   * Reads options to the first that is empty or incomplete: boot ROMs are known to pad requests
   * with zeros or to send a fixed-size buffer with leftovers behind the last string.
   */
  static Map<String, String> options(ByteBuffer rest) {
    Map<String, String> options = new LinkedHashMap<>();
    java.util.Set<String> seen = new java.util.HashSet<>();
    while (rest.hasRemaining()) {
      try {
        String name = string(rest, "An option");
        if (name.isEmpty()) {
          break;
        }
        String value = string(rest, "An option's value");
        if (seen.add(name.toLowerCase(Locale.ROOT))) {
          options.put(name, value);
        }
      } catch (MalformedPacketException incomplete) {
        break;
      }
    }
    return options;
  }

  private static String string(ByteBuffer rest, String what) throws MalformedPacketException {
    int start = rest.position();
    for (int end = start; end < rest.limit(); end++) {
      if (rest.get(end) == 0) {
        byte[] bytes = new byte[end - start];
        rest.get(bytes).get();
        return decode(bytes);
      }
    }
    throw new MalformedPacketException(what + " does not end with a zero byte");
  }

  /** UTF-8 as today's clients send it; what is not is Latin-1, which maps every byte. */
  private static String decode(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      return new String(bytes, StandardCharsets.ISO_8859_1);
    }
  }
}
