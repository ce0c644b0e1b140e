package org.liminix.tftp.internal;

/** Bytes that are not the packet they claim to be; the message says what is wrong with them. */
public final class MalformedPacketException extends Exception {
  private static final long serialVersionUID = 1L;

  public MalformedPacketException(String message) {
    super(message);
  }
}
