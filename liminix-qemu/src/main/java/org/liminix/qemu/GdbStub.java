package org.liminix.qemu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.liminix.process.Deadline;
import org.liminix.process.RunDirectory;
import org.liminix.process.UnixSocket;

/**
 * QEMU's stub for a debugger, which reads and writes the processor of a stopped machine: packets of
 * the GDB Remote Serial Protocol (GDB manual, appendix E), each a "$", its content, "#" and a sum
 * of two hexadecimal digits. Not thread-safe.
 */
final class GdbStub implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final Qmp qmp;
  private final UnixSocket socket;
  private final ByteBuffer in = ByteBuffer.allocate(4096).limit(0);

  private GdbStub(Qmp qmp, UnixSocket socket) {
    this.qmp = qmp;
    this.socket = socket;
  }

  /** Has QEMU connect its stub. */
  static GdbStub open(Qmp qmp, RunDirectory directory) throws IOException {
    try (UnixSocket.Listener listener = UnixSocket.listen(directory.socket("gdb"))) {
      qmp.monitor("gdbserver unix:" + listener.path() + ",server=off");
      return new GdbStub(qmp, listener.accept(Deadline.after(TIMEOUT)));
    }
  }

  /** All registers in the debugger's order and the processor's byte order, in hexadecimal. */
  String registers() throws IOException {
    return ask("g");
  }

  void setRegisters(String registers) throws IOException {
    order("G" + registers);
  }

  /** Bytes at a virtual address, in hexadecimal. */
  String memory(int address, int bytes) throws IOException {
    return ask("m%x,%x".formatted(address, bytes));
  }

  void setMemory(int address, String bytes) throws IOException {
    order("M%x,%x:%s".formatted(address, bytes.length() / 2, bytes));
  }

  /** Executes one instruction; QEMU takes no interrupt and fires no timer meanwhile. */
  void step() throws IOException {
    String answer = ask("s");
    if (!answer.startsWith("T05")) { // SIGTRAP
      throw new IOException("QEMU's stub for debuggers answers " + answer + " to a step");
    }
  }

  private void order(String request) throws IOException {
    String answer = ask(request);
    if (!answer.equals("OK")) {
      throw new IOException(
          "QEMU's stub for debuggers answers \"%s\" to %s".formatted(answer, request));
    }
  }

  private String ask(String request) throws IOException {
    CompletableFuture<Boolean> answered = new CompletableFuture<>();
    var unused =
        answered
            .completeOnTimeout(false, TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
            .thenAccept(inTime -> closeUnless(inTime));
    try {
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
    } catch (IOException e) {
      if (!answered.complete(true)) {
        throw new IOException(
            "QEMU's stub for debuggers has not answered %s within %s"
                .formatted(request, Deadline.readable(TIMEOUT)),
            e);
      }
      throw e;
    } finally {
      answered.complete(true);
    }
  }

  private void closeUnless(boolean answered) {
    if (!answered) {
      try {
        socket.close();
      } catch (IOException e) {
        // What waits for the answer says why it gives up.
      }
    }
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
        throw new IOException("QEMU has closed the connection of its stub for debuggers");
      }
    }
    return (char) (in.get() & 0xff);
  }

  @Override
  public void close() throws IOException {
    socket.close();
    qmp.monitor("gdbserver none");
  }
}
