package org.liminix.console;

/**
 * How the two ends of a serial line agree to talk. Immutable.
 *
 * <pre>{@code
 * line.apply(line.settings().withBaudRate(9600).withParity(Parity.EVEN));
 * }</pre>
 *
 * @param baudRate in bits per second
 * @param dataBits of a character, 5 to 8
 * @param parity the bit after them
 * @param stopBits the pause after a character
 * @param flowControl how a receiver asks for a pause
 */
public record SerialSettings(
    int baudRate, int dataBits, Parity parity, StopBits stopBits, FlowControl flowControl) {

  /** The bit that a receiver can check a character by. */
  public enum Parity {
    /** There is no such bit. */
    NONE,
    /** The bit makes the number of ones odd. */
    ODD,
    /** The bit makes the number of ones even. */
    EVEN,
    /** The bit is always one. */
    MARK,
    /** The bit is always zero. */
    SPACE
  }

  /** The shortest pause between characters, in the time of a bit. */
  public enum StopBits {
    /** One bit. */
    ONE,
    /** One and a half, as five data bits have. */
    ONE_AND_A_HALF,
    /** Two bits. */
    TWO
  }

  /** How a receiver that cannot keep up asks for a pause. */
  public enum FlowControl {
    /** It does not, and loses characters. */
    NONE,
    /** With the characters ^S and ^Q, which then are not data. */
    XON_XOFF,
    /** With the wires RTS and CTS. */
    RTS_CTS
  }

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if the baud rate is not positive, or the data bits are not 5
   *     to 8
   */
  public SerialSettings {
    requireBaudRate(baudRate);
    requireDataBits(dataBits);
  }

  /** Eight data bits, no parity, one stop bit and no flow control, as nearly all consoles have. */
  public static SerialSettings of(int baudRate) {
    return new SerialSettings(baudRate, 8, Parity.NONE, StopBits.ONE, FlowControl.NONE);
  }

  /** These with another baud rate. */
  public SerialSettings withBaudRate(int baudRate) {
    return new SerialSettings(baudRate, dataBits, parity, stopBits, flowControl);
  }

  /** These with another number of data bits. */
  public SerialSettings withDataBits(int dataBits) {
    return new SerialSettings(baudRate, dataBits, parity, stopBits, flowControl);
  }

  /** These with another parity. */
  public SerialSettings withParity(Parity parity) {
    return new SerialSettings(baudRate, dataBits, parity, stopBits, flowControl);
  }

  /** These with another number of stop bits. */
  public SerialSettings withStopBits(StopBits stopBits) {
    return new SerialSettings(baudRate, dataBits, parity, stopBits, flowControl);
  }

  /** These with another flow control. */
  public SerialSettings withFlowControl(FlowControl flowControl) {
    return new SerialSettings(baudRate, dataBits, parity, stopBits, flowControl);
  }

  static int requireBaudRate(int baudRate) {
    if (baudRate < 1) {
      throw new IllegalArgumentException(
          "A baud rate is positive, 115200 for example: " + baudRate);
    }
    return baudRate;
  }

  static int requireDataBits(int dataBits) {
    if (dataBits < 5 || dataBits > 8) {
      throw new IllegalArgumentException("A character has 5 to 8 data bits: " + dataBits);
    }
    return dataBits;
  }
}
