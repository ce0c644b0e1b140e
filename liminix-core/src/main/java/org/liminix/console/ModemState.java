package org.liminix.console;

/**
 * The wires of a serial line that the other end drives. Immutable.
 *
 * @param clearToSend CTS: it can take characters
 * @param dataSetReady DSR: it is switched on
 * @param ringIndicator RI: it is called
 * @param carrierDetect DCD: it is connected
 */
public record ModemState(
    boolean clearToSend, boolean dataSetReady, boolean ringIndicator, boolean carrierDetect) {

  /** Bits 4 to 7 of NOTIFY-MODEMSTATE (RFC 2217, section 3). */
  static ModemState of(int bits) {
    return new ModemState(
        (bits & 0x10) != 0, (bits & 0x20) != 0, (bits & 0x40) != 0, (bits & 0x80) != 0);
  }
}
