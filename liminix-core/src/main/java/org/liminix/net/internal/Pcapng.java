package org.liminix.net.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Blocks of a pcapng file (draft-ietf-opsawg-pcapng) with one Ethernet interface and times in
 * nanoseconds. Numbers are in the byte order of this machine, as the section header says: the
 * capture program of Wireshark, which reads a file that grows from a pipe, takes no other.
 */
public final class Pcapng {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private static final int SECTION_HEADER = 0x0a0d_0d0a;
  private static final int BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
  private static final int INTERFACE_DESCRIPTION = 1;
  private static final int INTERFACE_STATISTICS = 5;
  private static final int ENHANCED_PACKET = 6;

  private static final short LINKTYPE_ETHERNET = 1;

  private static final int COMMENT = 1;
  private static final int SHB_USERAPPL = 4;
  private static final int IF_NAME = 2;
  private static final int IF_TSRESOL = 9;
  private static final int ISB_IFRECV = 4;
  private static final int ISB_IFDROP = 5;

  private static final byte NANOSECONDS = 9;

  private static final int BLOCK_OVERHEAD = 12;
  private static final int PACKET_FIXED = 20;
  private static final int OPTION_HEADER = 4;
  private static final int END_OF_OPTIONS = 4;

  private Pcapng() {}

  /** What a file begins with. */
  public static ByteBuffer header(String interfaceName) {
    ByteBuffer application = utf8("Liminix testbench");
    ByteBuffer name = utf8(interfaceName);
    ByteBuffer out = ByteBuffer.allocate(256 + name.remaining());

    int start = begin(out, SECTION_HEADER);
    out.putInt(BYTE_ORDER_MAGIC).putShort((short) 1).putShort((short) 0).putLong(-1);
    putOption(out, SHB_USERAPPL, application);
    end(out, start);

    start = begin(out, INTERFACE_DESCRIPTION);
    out.putShort(LINKTYPE_ETHERNET).putShort((short) 0).putInt(0); // of any length
    putOption(out, IF_NAME, name);
    putOption(out, IF_TSRESOL, ByteBuffer.wrap(new byte[] {NANOSECONDS}));
    end(out, start);
    return out.flip();
  }

  private static ByteBuffer utf8(String text) {
    return StandardCharsets.UTF_8.encode(text);
  }

  /** How many bytes {@link #putPacket} writes. */
  public static int packetLength(int frameLength, int commentLength) {
    return BLOCK_OVERHEAD
        + PACKET_FIXED
        + padded(frameLength)
        + OPTION_HEADER
        + padded(commentLength)
        + END_OF_OPTIONS;
  }

  /** Writes a packet; frame and comment are left as they are. */
  public static void putPacket(ByteBuffer out, long time, ByteBuffer frame, ByteBuffer comment) {
    int start = begin(out, ENHANCED_PACKET);
    int length = frame.remaining();
    putTime(out.putInt(0), time).putInt(length).putInt(length);
    putPadded(out, frame);
    putOption(out, COMMENT, comment);
    end(out, start);
  }

  /** What a complete file ends with. */
  public static ByteBuffer statistics(long time, long received, long dropped) {
    ByteBuffer out = ByteBuffer.allocate(128);
    int start = begin(out, INTERFACE_STATISTICS);
    putTime(out.putInt(0), time);
    putOption(out, ISB_IFRECV, number(received + dropped));
    putOption(out, ISB_IFDROP, number(dropped));
    end(out, start);
    return out.flip();
  }

  /** Two words, the high one first in either byte order. */
  private static ByteBuffer putTime(ByteBuffer out, long time) {
    return out.putInt((int) (time >>> Integer.SIZE)).putInt((int) time);
  }

  private static ByteBuffer number(long value) {
    return ByteBuffer.allocate(Long.BYTES).order(ORDER).putLong(0, value);
  }

  private static int begin(ByteBuffer out, int type) {
    out.order(ORDER);
    int start = out.position();
    out.putInt(type).putInt(0);
    return start;
  }

  private static void end(ByteBuffer out, int start) {
    out.putInt(0); // the end of the options
    int length = out.position() + Integer.BYTES - start;
    out.putInt(length).putInt(start + Integer.BYTES, length);
  }

  private static void putOption(ByteBuffer out, int code, ByteBuffer value) {
    out.putShort((short) code).putShort((short) value.remaining());
    putPadded(out, value);
  }

  private static void putPadded(ByteBuffer out, ByteBuffer bytes) {
    int length = bytes.remaining();
    out.put(out.position(), bytes, bytes.position(), length);
    out.position(out.position() + length);
    for (int i = length; i < padded(length); i++) {
      out.put((byte) 0);
    }
  }

  private static int padded(int length) {
    return (length + 3) & ~3;
  }
}
