package org.liminix.tftp;

import java.net.InetSocketAddress;
import java.util.Map;

/**
 * What a client asked for.
 *
 * @param client its address and port
 * @param operation whether it reads or writes
 * @param file the name as it sent it
 * @param mode how bytes are to be understood
 * @param options name in lower case and value as sent, in its order (RFC 2347)
 */
public record TftpRequest(
    InetSocketAddress client,
    Operation operation,
    String file,
    Mode mode,
    Map<String, String> options) {

  /** Makes the options unmodifiable. */
  public TftpRequest {
    options = java.util.Collections.unmodifiableMap(new java.util.LinkedHashMap<>(options));
  }

  /** The direction of a transfer. */
  public enum Operation {
    /** The client fetches a file. */
    READ,
    /** The client stores a file. */
    WRITE
  }

  /** The two modes of RFC 1350 that are in use. */
  public enum Mode {
    /** Bytes as they are. */
    OCTET,
    /** Text, with line ends for the network (RFC 764). */
    NETASCII
  }

  @Override
  public String toString() {
    return client.getAddress().getHostAddress()
        + (operation == Operation.READ ? " reads " : " writes ")
        + printable(file);
  }

  /** A name from the network, safe to print on a terminal or into a log. */
  static String printable(String name) {
    return printable(name, 128);
  }

  /**
   * Text of which a part is from the network: without what moves a cursor, starts a line or, as
   * some of Unicode's format characters do, turns around what follows.
   *
   * @param most characters kept
   */
  static String printable(String text, int most) {
    StringBuilder safe = new StringBuilder();
    text.codePoints().limit(most).map(c -> isUnsafe(c) ? '?' : c).forEach(safe::appendCodePoint);
    return text.codePointCount(0, text.length()) > most ? safe + "…" : safe.toString();
  }

  private static boolean isUnsafe(int character) {
    return switch (Character.getType(character)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          true;
      default -> false;
    };
  }
}
