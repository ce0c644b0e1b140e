package org.liminix.net.internal;

import java.nio.ByteBuffer;

/** Fields of an Ethernet II frame, relative to the position of a buffer. */
public final class Ethernet {
  public static final int HEADER = 14;

  /** The largest payload of a frame without extensions. */
  public static final int MTU = 1500;

  public static final int IPV4 = 0x0800;
  public static final int ARP = 0x0806;
  public static final int IPV6 = 0x86dd;

  private Ethernet() {}

  public static int type(ByteBuffer frame) {
    return Short.toUnsignedInt(frame.getShort(frame.position() + 12));
  }

  public static long destination(ByteBuffer frame) {
    return mac(frame, frame.position());
  }

  public static long source(ByteBuffer frame) {
    return mac(frame, frame.position() + 6);
  }

  /** Reads an address at an absolute index. */
  public static long mac(ByteBuffer buffer, int at) {
    return (buffer.getShort(at) & 0xffffL) << 32 | (buffer.getInt(at + 2) & 0xffff_ffffL);
  }

  public static void putMac(ByteBuffer out, long mac) {
    out.putShort((short) (mac >> 32)).putInt((int) mac);
  }

  public static void putHeader(ByteBuffer out, long destination, long source, int type) {
    putMac(out, destination);
    putMac(out, source);
    out.putShort((short) type);
  }
}
