package org.liminix.process;

/** A program the testbench needs is not on this machine; the message says how to get it. */
public class MissingToolException extends LiminixException {
  private static final long serialVersionUID = 1L;

  public MissingToolException(String message) {
    super(message);
  }
}
