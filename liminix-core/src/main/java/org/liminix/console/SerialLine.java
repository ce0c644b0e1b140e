package org.liminix.console;

import java.nio.channels.ByteChannel;
import java.time.Duration;
import org.liminix.process.WaitInterruptedException;

/**
 * A serial line that can be controlled: a device of this machine, {@link SerialDevice}, or the port
 * of a terminal server, {@link TelnetLine}.
 *
 * <pre>{@code
 * SerialLine line = TelnetLine.to("10.0.0.5", 2001).baudRate(115200).connect();
 * try (Console board = Console.over(line).name("board").open()) {
 *   board.sendLine("setenv baudrate 9600");
 *   line.baudRate(9600);
 *   line.sendBreak(Duration.ofMillis(250));
 * }
 * }</pre>
 *
 * <p>What changes the line is sent behind what was written before, and has been confirmed when it
 * returns. Each throws {@link ConsoleException} if the line cannot do it, {@link
 * ConsoleTimeoutException} if it does not confirm it in time, {@link ConsoleClosedException} if it
 * has ended, and {@link WaitInterruptedException} if the thread is interrupted meanwhile.
 *
 * <p>Thread-safe: one reader, any number of writers and of those who control it. The console that
 * reads it closes it.
 */
public interface SerialLine extends ByteChannel {
  /** The settings in force. */
  SerialSettings settings();

  /**
   * Changes the settings.
   *
   * @throws ConsoleException if the line does not take one of them as it is; the message says what
   *     it chose instead
   */
  void apply(SerialSettings settings);

  /** Changes the baud rate alone; as {@link #apply} otherwise. */
  void baudRate(int baudRate);

  /** Holds the line in break for so long, 250 ms say: SysRq on a Linux console. */
  void sendBreak(Duration duration);

  /** Sets or clears Data Terminal Ready, which on some adapters resets the board. */
  void dtr(boolean on);

  /** Sets or clears Request To Send. */
  void rts(boolean on);

  /** The wires that the other end drives, as far as they are known. */
  ModemState modemState();

  /** Discards what has arrived and is not read yet, and what is not sent yet. */
  void purge();
}
