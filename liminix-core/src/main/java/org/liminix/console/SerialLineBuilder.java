package org.liminix.console;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The options that all serial lines have. Each once; not thread-safe. */
abstract class SerialLineBuilder<B extends SerialLineBuilder<B>> {
  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

  @Nullable Integer baudRate;
  @Nullable Integer dataBits;
  SerialSettings.@Nullable Parity parity;
  SerialSettings.@Nullable StopBits stopBits;
  SerialSettings.@Nullable FlowControl flowControl;
  @Nullable Boolean dtr;
  @Nullable Boolean rts;
  private @Nullable Duration timeout;

  abstract B self();

  /** In bits per second. */
  public B baudRate(int baudRate) {
    this.baudRate =
        Options.once("baud rate", this.baudRate, SerialSettings.requireBaudRate(baudRate));
    return self();
  }

  /** 5 to 8. */
  public B dataBits(int dataBits) {
    this.dataBits =
        Options.once("data bits", this.dataBits, SerialSettings.requireDataBits(dataBits));
    return self();
  }

  /** The bit that a receiver can check a character by. */
  public B parity(SerialSettings.Parity parity) {
    this.parity = Options.once("parity", this.parity, parity);
    return self();
  }

  /** The shortest pause between characters. */
  public B stopBits(SerialSettings.StopBits stopBits) {
    this.stopBits = Options.once("stop bits", this.stopBits, stopBits);
    return self();
  }

  /** How a receiver asks for a pause. */
  public B flowControl(SerialSettings.FlowControl flowControl) {
    this.flowControl = Options.once("flow control", this.flowControl, flowControl);
    return self();
  }

  /** Whether Data Terminal Ready is set from the beginning. */
  public B dtr(boolean on) {
    this.dtr = Options.once("DTR", this.dtr, on);
    return self();
  }

  /** Whether Request To Send is set from the beginning. */
  public B rts(boolean on) {
    this.rts = Options.once("RTS", this.rts, on);
    return self();
  }

  /** How long the line has to open, and to confirm what it is told; 10 s unless set. */
  public B timeout(Duration timeout) {
    this.timeout = Options.once("timeout", this.timeout, Options.positive("timeout", timeout));
    return self();
  }

  Duration timeoutOrDefault() {
    return timeout == null ? DEFAULT_TIMEOUT : timeout;
  }

  /** Those settings with what has been set here in their place. */
  SerialSettings over(SerialSettings defaults) {
    return new SerialSettings(
        baudRate == null ? defaults.baudRate() : baudRate,
        dataBits == null ? defaults.dataBits() : dataBits,
        parity == null ? defaults.parity() : parity,
        stopBits == null ? defaults.stopBits() : stopBits,
        flowControl == null ? defaults.flowControl() : flowControl);
  }
}
