package org.liminix.net.internal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Domain names on the wire (RFC 1035 section 3.1) and as text: labels with dots between and none at
 * the end, other bytes escaped (section 5.1). The root is an empty text. Case is kept.
 */
public final class DnsName {
  private static final int MAX_LABEL = 63;
  private static final int MAX_NAME = 255;
  private static final int POINTER = 0xc0;
  private static final int MAX_OFFSET = 0x3fff;

  private DnsName() {}

  /**
   * Reads the name at the position of a message, which moves behind it.
   *
   * @param message with the beginning of the message at index 0
   * @return nothing if there is no name
   */
  public static Optional<String> read(ByteBuffer message) {
    StringBuilder name = new StringBuilder();
    int at = message.position();
    int first = at; // of the labels under way; pointers lead before them, so reading ends
    int behind = -1;
    int length = 1;
    while (at < message.limit()) {
      int head = Byte.toUnsignedInt(message.get(at));
      if (head == 0) {
        message.position(behind < 0 ? at + 1 : behind);
        return Optional.of(name.toString());
      }
      if (head >= POINTER && at + 1 < message.limit()) {
        int target = Short.toUnsignedInt(message.getShort(at)) & MAX_OFFSET;
        if (target >= first) {
          return Optional.empty();
        }
        behind = behind < 0 ? at + 2 : behind;
        at = target;
        first = target;
        continue;
      }
      length += 1 + head;
      if (head > MAX_LABEL || length > MAX_NAME || at + 1 + head > message.limit()) {
        return Optional.empty();
      }
      if (name.length() > 0) {
        name.append('.');
      }
      for (int i = at + 1; i <= at + head; i++) {
        append(name, Byte.toUnsignedInt(message.get(i)));
      }
      at += 1 + head;
    }
    return Optional.empty();
  }

  private static void append(StringBuilder name, int octet) {
    if (octet == '.' || octet == '\\') {
      name.append('\\').append((char) octet);
    } else if (octet > ' ' && octet < 0x7f) {
      name.append((char) octet);
    } else {
      name.append("\\%03d".formatted(octet));
    }
  }

  /**
   * Writes a name, of which the end may be a pointer to where it stands already (section 4.1.4).
   *
   * @param message with the beginning of the message at index 0
   * @param written where names and ends of names stand; those of this one are added
   */
  static void write(ByteBuffer message, String name, Map<String, Integer> written) {
    List<String> labels = split(name);
    for (int i = 0; i < labels.size(); i++) {
      String rest = String.join(".", labels.subList(i, labels.size()));
      Integer offset = written.get(rest);
      if (offset != null) {
        message.putShort((short) (POINTER << 8 | offset));
        return;
      }
      if (message.position() <= MAX_OFFSET) {
        written.put(rest, message.position());
      }
      byte[] label = bytes(labels.get(i));
      message.put((byte) label.length).put(label);
    }
    message.put((byte) 0);
  }

  /** A name as it stands in data: whole (RFC 3597 section 4). */
  public static byte[] encode(String name) {
    ByteBuffer out = ByteBuffer.allocate(name.length() + 2);
    for (String label : split(name)) {
      byte[] bytes = bytes(label);
      out.put((byte) bytes.length).put(bytes);
    }
    out.put((byte) 0);
    byte[] encoded = new byte[out.position()];
    out.get(0, encoded);
    return encoded;
  }

  /**
   * Checks a name that somebody has written.
   *
   * @return the name without a dot at its end
   * @throws IllegalArgumentException if it is none
   */
  public static String check(String name) {
    String trimmed =
        name.endsWith(".") && !name.endsWith("\\.") ? name.substring(0, name.length() - 1) : name;
    List<String> labels = split(trimmed);
    int length = 1;
    for (String label : labels) {
      int bytes = bytes(label).length;
      length += 1 + bytes;
      if (bytes == 0 || bytes > MAX_LABEL) {
        length = Integer.MAX_VALUE / 2;
      }
    }
    if (length > MAX_NAME) {
      throw new IllegalArgumentException(
          "\""
              + name
              + "\" is no domain name: labels have 1 to 63 bytes, all of it 255; write one like"
              + " www.example.org");
    }
    return trimmed;
  }

  /** The name of which this one is a part; nothing of the root. */
  public static Optional<String> parent(String name) {
    if (name.isEmpty()) {
      return Optional.empty();
    }
    List<String> labels = split(name);
    return Optional.of(String.join(".", labels.subList(1, labels.size())));
  }

  private static List<String> split(String name) {
    List<String> labels = new ArrayList<>();
    int begin = 0;
    for (int i = 0; i < name.length(); i++) {
      if (name.charAt(i) == '\\') {
        i++;
      } else if (name.charAt(i) == '.') {
        labels.add(name.substring(begin, i));
        begin = i + 1;
      }
    }
    if (!name.isEmpty()) {
      labels.add(name.substring(begin));
    }
    return labels;
  }

  private static byte[] bytes(String label) {
    ByteBuffer out = ByteBuffer.allocate(4 * label.length());
    for (int i = 0; i < label.length(); i++) {
      char c = label.charAt(i);
      if (c != '\\') {
        out.put(String.valueOf(c).getBytes(StandardCharsets.UTF_8));
      } else {
        String number = label.substring(i + 1, Math.min(i + 4, label.length()));
        if (number.matches("[01]\\d\\d|2[0-4]\\d|25[0-5]")) {
          out.put((byte) Integer.parseInt(number));
          i += 3;
        } else if (!number.isEmpty()) {
          out.put((byte) number.charAt(0));
          i++;
        }
      }
    }
    byte[] bytes = new byte[out.position()];
    out.get(0, bytes);
    return bytes;
  }
}
