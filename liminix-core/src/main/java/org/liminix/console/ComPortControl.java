package org.liminix.console;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntPredicate;
import org.liminix.console.SerialSettings.FlowControl;
import org.liminix.console.SerialSettings.Parity;
import org.liminix.console.SerialSettings.StopBits;
import org.liminix.process.Deadline;
import org.liminix.process.UnixSocket;
import org.liminix.process.WaitInterruptedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The client's end of the Telnet option that controls a serial port (RFC 2217): a request at a
 * time, each of which the server answers with what is in force then. Thread-safe.
 */
final class ComPortControl implements TelnetConnection.Subnegotiation {
  // RFC 2217, section 3: what the server sends has 100 added.
  private static final int SIGNATURE = 0;
  private static final int SET_BAUDRATE = 1;
  private static final int SET_DATASIZE = 2;
  private static final int SET_PARITY = 3;
  private static final int SET_STOPSIZE = 4;
  private static final int SET_CONTROL = 5;
  private static final int NOTIFY_LINESTATE = 6;
  private static final int NOTIFY_MODEMSTATE = 7;
  private static final int FLOWCONTROL_SUSPEND = 8;
  private static final int FLOWCONTROL_RESUME = 9;
  private static final int SET_LINESTATE_MASK = 10;
  private static final int SET_MODEMSTATE_MASK = 11;
  private static final int PURGE_DATA = 12;
  private static final int FROM_SERVER = 100;

  private static final int BREAK_ON = 5;
  private static final int DTR_ON = 8;
  private static final int RTS_ON = 11;

  private static final int PURGE_BOTH = 3;

  private static final int LINE_ERRORS =
      Arrays.stream(LineError.values()).mapToInt(error -> error.bit).sum();

  /** A setting: its command, the values that answer it, and what they stand for. */
  private record Setting<T>(String name, int command, IntPredicate answers, List<T> values) {
    int code(T value) {
      return values.indexOf(value) + 1;
    }

    String meaning(int code) {
      return code >= 1 && code <= values.size()
          ? values.get(code - 1).toString()
          : "something of its own (" + code + ")";
    }
  }

  private static final Setting<Integer> DATA_BITS =
      new Setting<>("data bits", SET_DATASIZE, any -> true, List.of(1, 2, 3, 4, 5, 6, 7, 8));
  private static final Setting<Parity> PARITY =
      new Setting<>("parity", SET_PARITY, any -> true, List.of(Parity.values()));
  private static final Setting<StopBits> STOP_BITS =
      new Setting<>(
          "stop bits",
          SET_STOPSIZE,
          any -> true,
          List.of(StopBits.ONE, StopBits.TWO, StopBits.ONE_AND_A_HALF));
  // 0 to 3 are the flow control, 4 to 6 BREAK, 7 to 9 DTR, 10 to 12 RTS, more that of other wires.
  private static final Setting<FlowControl> FLOW_CONTROL =
      new Setting<>(
          "flow control",
          SET_CONTROL,
          value -> value <= 3 || value >= 17,
          List.of(FlowControl.values()));
  private static final String SWITCH_ON =
      "switch RFC 2217 on there, as \"telnet(rfc2217)\" does for ser2net";
  private static final Logger log = LoggerFactory.getLogger(ComPortControl.class);

  private final String address;
  private final Duration timeout;
  private final TelnetConnection connection;
  private final ReentrantLock requests = new ReentrantLock();

  // Guarded by the connection's lock.
  private int awaited = -1;
  private IntPredicate answers = value -> false;
  private OptionalInt answer = OptionalInt.empty();
  private Optional<String> signature = Optional.empty();
  private ModemState modemState = ModemState.of(0);
  private int lineErrors;

  private boolean masksSent; // guarded by requests

  ComPortControl(UnixSocket socket, String address, Duration timeout) {
    this.address = address;
    this.timeout = timeout;
    this.connection = new TelnetConnection(socket, address, this);
  }

  TelnetConnection connection() {
    return connection;
  }

  @Override
  public void received(byte[] parameters) {
    if (parameters.length == 0) {
      return;
    }
    ByteBuffer content = ByteBuffer.wrap(parameters, 1, parameters.length - 1);
    int command = (parameters[0] & 0xff) - FROM_SERVER;
    switch (command) {
      case SIGNATURE -> signed(parameters);
      case SET_BAUDRATE -> {
        if (content.remaining() == Integer.BYTES) {
          answered(command, content.getInt());
        }
      }
      case SET_DATASIZE, SET_PARITY, SET_STOPSIZE, SET_CONTROL, PURGE_DATA -> {
        if (content.remaining() == 1) {
          answered(command, content.get() & 0xff);
        }
      }
      case NOTIFY_LINESTATE -> {
        if (content.hasRemaining()) {
          lineErrors |= content.get() & LINE_ERRORS;
        }
      }
      case NOTIFY_MODEMSTATE -> {
        if (content.hasRemaining()) {
          modemState = ModemState.of(content.get());
        }
      }
      case FLOWCONTROL_SUSPEND -> connection.suspend(true);
      case FLOWCONTROL_RESUME -> connection.suspend(false);
      default -> log.debug("{} sent the command {} of RFC 2217", address, command);
    }
  }

  private void signed(byte[] parameters) {
    if (parameters.length == 1) { // it asks for ours
      byte[] name = "\0Liminix".getBytes(StandardCharsets.US_ASCII); // begins with SIGNATURE
      connection.sendComPort(name);
    } else {
      signature =
          Optional.of(new String(parameters, 1, parameters.length - 1, StandardCharsets.UTF_8));
    }
  }

  private void answered(int command, int value) {
    if (command == awaited && answers.test(value)) {
      answer = OptionalInt.of(value);
    }
  }

  /**
   * Makes sure that the server lets the port be controlled.
   *
   * @return false if it does not
   */
  boolean negotiate(Deadline deadline) {
    lockRequests();
    try {
      if (connection.offered(TelnetConnection.COM_PORT) != TelnetOptions.State.YES) {
        connection.offerComPort();
        boolean answered =
            connection.await(
                () -> connection.offered(TelnetConnection.COM_PORT) != TelnetOptions.State.ASKED,
                "the answer of " + address + " to COM-PORT-OPTION",
                deadline);
        if (!answered) {
          throw unanswered(
              "the offer to control its port",
              "it may be a raw one: " + SWITCH_ON + ", or use TcpLine and set the port up there");
        }
        if (connection.offered(TelnetConnection.COM_PORT) != TelnetOptions.State.YES) {
          return false;
        }
      }
      if (!masksSent) {
        masksSent = true;
        connection.sendComPort(new byte[] {SET_LINESTATE_MASK, (byte) LINE_ERRORS});
        connection.sendComPort(new byte[] {SET_MODEMSTATE_MASK, (byte) 0xff});
      }
      return true;
    } finally {
      requests.unlock();
    }
  }

  private Deadline requireControl(String what) {
    Deadline deadline = Deadline.after(timeout);
    if (!negotiate(deadline)) {
      throw new ConsoleException(
          "%s does not let its port be controlled, wanted for %s: %s, or set the port up there"
              .formatted(address, what, SWITCH_ON));
    }
    return deadline;
  }

  private void lockRequests() {
    try {
      requests.lockInterruptibly();
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("another request to " + address, e);
    }
  }

  private RuntimeException unanswered(String what, String fix) {
    return connection.hasEnded()
        ? new ConsoleClosedException(
            address + " has ended the connection without an answer to " + what, null)
        : new ConsoleTimeoutException(
            "%s has not answered within %s to %s: %s"
                .formatted(address, Deadline.readable(timeout), what, fix));
  }

  private int request(int command, byte[] value, IntPredicate answers, String what) {
    Deadline deadline = requireControl(what);
    lockRequests();
    try {
      await(command, answers);
      byte[] parameters = new byte[1 + value.length];
      parameters[0] = (byte) command;
      System.arraycopy(value, 0, parameters, 1, value.length);
      connection.sendComPort(parameters);
      if (!connection.await(() -> answer.isPresent(), "an answer of " + address, deadline)) {
        throw unanswered(what, "its port may not be able to, or the line is congested");
      }
      return answer.getAsInt();
    } finally {
      await(-1, unused -> false);
      requests.unlock();
    }
  }

  private void await(int command, IntPredicate answers) {
    connection.update(
        () -> {
          this.awaited = command;
          this.answers = answers;
          this.answer = OptionalInt.empty();
        });
  }

  void baudRate(int baudRate) {
    String what = "setting " + baudRate + " baud";
    int chosen = request(SET_BAUDRATE, bytes(baudRate), any -> true, what);
    requireChosen(what, chosen == baudRate, chosen + " baud");
  }

  void dataBits(int dataBits) {
    set(DATA_BITS, dataBits);
  }

  void parity(Parity parity) {
    set(PARITY, parity);
  }

  void stopBits(StopBits stopBits) {
    set(STOP_BITS, stopBits);
  }

  void flowControl(FlowControl flowControl) {
    set(FLOW_CONTROL, flowControl);
  }

  private <T> void set(Setting<T> setting, T wanted) {
    String what = "setting " + setting.name() + " to " + wanted;
    int code = setting.code(wanted);
    int chosen = request(setting.command(), new byte[] {(byte) code}, setting.answers(), what);
    requireChosen(what, chosen == code, setting.meaning(chosen));
  }

  private void requireChosen(String what, boolean asWanted, String chosen) {
    if (!asWanted) {
      throw new ConsoleException(
          "%s answered to %s that it has %s: ask for that, or see what its port can do"
              .formatted(address, what, chosen));
    }
  }

  SerialSettings settings() {
    String what = "asking for the baud rate";
    int baudRate = request(SET_BAUDRATE, bytes(0), any -> true, what);
    requireChosen(what, baudRate > 0, "no baud rate");
    return new SerialSettings(
        baudRate, get(DATA_BITS), get(PARITY), get(STOP_BITS), get(FLOW_CONTROL));
  }

  private <T> T get(Setting<T> setting) {
    String what = "asking for " + setting.name();
    int code = request(setting.command(), new byte[1], setting.answers(), what);
    requireChosen(what, code >= 1 && code <= setting.values().size(), setting.meaning(code));
    return setting.values().get(code - 1);
  }

  void dtr(boolean on) {
    switchTo("DTR", DTR_ON, on);
  }

  void rts(boolean on) {
    switchTo("RTS", RTS_ON, on);
  }

  private void switchTo(String what, int codeOfOn, boolean on) {
    int chosen = requestSwitch(what, codeOfOn, on);
    requireChosen("switching " + what, (chosen == codeOfOn) == on, what + (on ? " off" : " on"));
  }

  /** In the values of SET-CONTROL, off follows on, and asking for the state precedes it. */
  private int requestSwitch(String what, int codeOfOn, boolean on) {
    return request(
        SET_CONTROL,
        new byte[] {(byte) (on ? codeOfOn : codeOfOn + 1)},
        value -> value >= codeOfOn - 1 && value <= codeOfOn + 1,
        "switching " + what + (on ? " on" : " off"));
  }

  /** Without a look at the state that is answered: ser2net 4 answers that it is on to both. */
  void sendBreak(Duration duration) {
    if (!negotiate(Deadline.after(timeout))) {
      connection.send(TelnetDecoder.BREAK); // the server decides how long that is
      return;
    }
    boolean held = false;
    try {
      int on = requestSwitch("BREAK", BREAK_ON, true);
      held = !connection.await(() -> false, "the end of a break", Deadline.after(duration));
      log.debug("{} answered {} to a break", address, on);
    } finally {
      if (!held) { // whatever cut it short must not leave the line in break
        connection.sendComPort(new byte[] {SET_CONTROL, BREAK_ON + 1});
      }
    }
    int off = requestSwitch("BREAK", BREAK_ON, false);
    log.debug("{} answered {} to the end of a break", address, off);
  }

  String signature() {
    Deadline deadline = requireControl("its signature");
    connection.sendComPort(new byte[] {SIGNATURE});
    if (!connection.await(() -> signature.isPresent(), "the signature of " + address, deadline)) {
      throw unanswered("asking for its signature", "do without");
    }
    return connection.read(() -> signature.orElseThrow());
  }

  void purge() {
    int unused = request(PURGE_DATA, new byte[] {PURGE_BOTH}, any -> true, "purging its buffers");
  }

  /** As last notified. */
  ModemState modemState() {
    requireControl("the state of its wires");
    return connection.read(() -> modemState);
  }

  /** Since the connection began. */
  Set<LineError> errors() {
    requireControl("the errors of its line");
    int bits = connection.read(() -> lineErrors);
    Set<LineError> errors = EnumSet.noneOf(LineError.class);
    for (LineError error : LineError.values()) {
      if ((bits & error.bit) != 0) {
        errors.add(error);
      }
    }
    return errors;
  }

  private static byte[] bytes(int value) {
    return ByteBuffer.allocate(Integer.BYTES).putInt(value).array();
  }
}
