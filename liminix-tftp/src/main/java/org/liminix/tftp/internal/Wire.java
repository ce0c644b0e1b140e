package org.liminix.tftp.internal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** The six packets of TFTP as bytes (RFC 1350 section 5, RFC 2347). */
public final class Wire {
  public static final int RRQ = 1;
  public static final int WRQ = 2;
  public static final int DATA = 3;
  public static final int ACK = 4;
  public static final int ERROR = 5;
  public static final int OACK = 6;

  /** Where requests go (RFC 1350 section 4). */
  public static final int PORT = 69;

  /** Opcode and block number of a DATA packet. */
  public static final int HEADER = 4;

  /** What a block holds unless an option says otherwise (RFC 1350 section 2). */
  public static final int DEFAULT_BLOCK_SIZE = 512;

  public static final int MIN_BLOCK_SIZE = 8; // RFC 2348
  public static final int MAX_BLOCK_SIZE = 65464; // RFC 2348

  /** The most a UDP datagram over IPv4 holds. */
  public static final int MAX_DATAGRAM = 65507;

  public static final int UNDEFINED = 0;
  public static final int FILE_NOT_FOUND = 1;
  public static final int ACCESS_VIOLATION = 2;
  public static final int DISK_FULL = 3;
  public static final int ILLEGAL_OPERATION = 4;
  public static final int UNKNOWN_TRANSFER_ID = 5;
  public static final int FILE_EXISTS = 6;
  public static final int OPTION_REFUSED = 8; // RFC 2347

  private Wire() {}

  /** The opcode, or -1 if the packet is too short to have one. */
  public static int opcode(ByteBuffer packet) {
    return packet.remaining() < 2 ? -1 : packet.getShort(packet.position()) & 0xffff;
  }

  /** The block number of DATA and ACK, the code of ERROR; -1 if the packet is too short. */
  public static int number(ByteBuffer packet) {
    return packet.remaining() < HEADER ? -1 : packet.getShort(packet.position() + 2) & 0xffff;
  }

  /** An acknowledgement of a block, of which the low 16 bits go out. */
  public static ByteBuffer ack(long block) {
    return ByteBuffer.allocate(HEADER).putShort((short) ACK).putShort((short) block).flip();
  }

  /** An error; what of the message does not fit a default block is cut off. */
  public static ByteBuffer error(int code, String message) {
    byte[] text = message.getBytes(StandardCharsets.UTF_8);
    int length = Math.min(text.length, DEFAULT_BLOCK_SIZE - 1);
    return ByteBuffer.allocate(HEADER + length + 1)
        .putShort((short) ERROR)
        .putShort((short) code)
        .put(text, 0, length)
        .put((byte) 0)
        .flip();
  }

  /** The text of an ERROR packet, as much of it as is there. */
  public static String errorMessage(ByteBuffer packet) {
    ByteBuffer rest = packet.duplicate();
    rest.position(Math.min(rest.limit(), rest.position() + HEADER));
    byte[] text = new byte[rest.remaining()];
    rest.get(text);
    int length = 0;
    while (length < text.length && text[length] != 0) {
      length++;
    }
    return new String(text, 0, length, StandardCharsets.UTF_8);
  }

  /** The answer to options, in the map's order. */
  public static ByteBuffer oack(Map<String, String> options) {
    return strings(OACK, options, new String[0]);
  }

  /** A read or write request. */
  public static ByteBuffer request(
      int opcode, String file, String mode, Map<String, String> options) {
    return strings(opcode, options, file, mode);
  }

  private static ByteBuffer strings(int opcode, Map<String, String> options, String... first) {
    StringBuilder text = new StringBuilder();
    for (String string : first) {
      text.append(string).append('\0');
    }
    options.forEach((name, value) -> text.append(name).append('\0').append(value).append('\0'));
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(2 + bytes.length).putShort((short) opcode).put(bytes).flip();
  }
}
