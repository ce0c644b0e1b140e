package org.liminix.qemu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.liminix.process.Deadline;
import org.liminix.process.RunDirectory;
import org.liminix.process.UnixSocket;

/**
 * Sets the timer of a restored MIPS processor going again.
 *
 * <p>QEMU's state of a MIPS has the registers Count and Compare but not the timer that compares
 * them (target/mips/sysemu/machine.c, cp0_timer.c): it is armed when the guest writes either, and a
 * restored guest that waits for the next tick never does. A guest saved while its tick was stopped
 * wakes by other interrupts, which is why some do. Stopping and starting the count, by the bit DC
 * of Cause (MIPS32 PRA, 9.20), arms the timer; the debugger's protocol is what can set that bit.
 */
final class MipsTimer {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  /** In the debugger's order of registers (gdb, mips_regnum): 32 general ones, then sr to cause. */
  private static final int CAUSE = 36;

  private static final int DISABLE_COUNT = 1 << 27;
  private static final int DIGITS = 2 * Integer.BYTES;

  private final UnixSocket socket;
  private final ByteBuffer in = ByteBuffer.allocate(4096).limit(0);

  private MipsTimer(UnixSocket socket) {
    this.socket = socket;
  }

  /** To be called while the machine is stopped; it still is afterwards. */
  static void rearm(Qmp qmp, RunDirectory directory, boolean bigEndian) {
    try (UnixSocket.Listener listener = UnixSocket.listen(directory.socket("gdb"))) {
      qmp.monitor("gdbserver unix:" + listener.path() + ",server=off");
      try (UnixSocket socket = listener.accept(Deadline.after(TIMEOUT))) {
        new MipsTimer(socket).toggle(bigEndian);
      }
      qmp.monitor("gdbserver none");
    } catch (IOException e) {
      throw new VmException("Cannot set the timer of the restored processor going: " + e, e);
    }
  }

  private void toggle(boolean bigEndian) throws IOException {
    String registers = ask("g");
    int at = CAUSE * DIGITS;
    int read = Integer.parseUnsignedInt(registers.substring(at, at + DIGITS), 16);
    int cause = bigEndian ? read : Integer.reverseBytes(read);
    for (int value : new int[] {cause | DISABLE_COUNT, cause & ~DISABLE_COUNT}) {
      String digits = "%08x".formatted(bigEndian ? value : Integer.reverseBytes(value));
      String answer =
          ask("G" + registers.substring(0, at) + digits + registers.substring(at + DIGITS));
      if (!answer.equals("OK")) {
        throw new IOException("QEMU's debugger answers " + answer);
      }
    }
  }

  /** Exchanges packets: "$", content, "#", checksum (gdb, Remote Protocol, Overview). */
  private String ask(String request) throws IOException {
    int sum = request.chars().sum() & 0xff;
    write("$" + request + "#" + "%02x".formatted(sum));
    while (next() != '$') {
      // the acknowledgement
    }
    StringBuilder answer = new StringBuilder();
    for (char c = next(); c != '#'; c = next()) {
      answer.append(c);
    }
    next();
    next();
    write("+");
    return answer.toString();
  }

  private void write(String text) throws IOException {
    socket.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
  }

  private char next() throws IOException {
    if (!in.hasRemaining()) {
      in.clear();
      int count = socket.read(in);
      in.flip();
      if (count < 0) {
        throw new IOException("QEMU has closed the debugger's connection");
      }
    }
    return (char) (in.get() & 0xff);
  }
}
