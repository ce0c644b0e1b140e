package org.liminix.testkit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.liminix.process.Deadline;
import org.liminix.process.UnixSocket;

/** What somebody does by hand who has QEMU and two sockets, for benchmarks to compare with. */
final class BareVm implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final Pattern WORD = Pattern.compile("'((?:[^']|'\\\\'')*)'|(\\S+)");

  private final Process process;
  private final Plain control;
  private final Plain serial;

  private BareVm(Process process, Plain control, Plain serial) {
    this.process = process;
    this.control = control;
    this.serial = serial;
  }

  /** Starts the machine of a command line for a terminal, and waits until its QMP answers. */
  static BareVm start(String commandLine, Path directory) throws IOException {
    List<String> words = new ArrayList<>();
    for (Matcher word = WORD.matcher(commandLine); word.find(); ) {
      words.add(word.group(2) == null ? word.group(1).replace("'\\''", "'") : word.group(2));
    }
    int ends = words.indexOf("mon:stdio");
    try (UnixSocket.Listener control = UnixSocket.listen(directory.resolve("control"));
        UnixSocket.Listener serial = UnixSocket.listen(directory.resolve("serial"))) {
      words.set(ends, "unix:" + serial.path());
      words.addAll(List.of("-qmp", "unix:" + control.path()));
      Process process = new ProcessBuilder(words).inheritIO().start();
      Deadline deadline = Deadline.after(PATIENCE);
      BareVm vm =
          new BareVm(
              process, new Plain(control.accept(deadline)), new Plain(serial.accept(deadline)));
      vm.control.readUntil("\n");
      vm.command("qmp_capabilities");
      vm.control.readUntil("\n");
      return vm;
    }
  }

  private void command(String name) throws IOException {
    control.write("{'execute':'" + name + "'}\n");
  }

  /** Types on its console. */
  void type(String text) throws IOException {
    serial.write(text);
  }

  /** Reads its console up to and with that text. */
  void expect(String text) throws IOException {
    serial.readUntil(text);
  }

  /** Tells QEMU to quit and waits for its process. */
  void quit() throws IOException, InterruptedException {
    command("quit");
    process.waitFor();
  }

  @Override
  public void close() throws IOException {
    process.destroyForcibly();
    try (control;
        serial) {
      // both
    }
  }

  /** A socket, and what was read of it beyond what was awaited. */
  record Plain(UnixSocket socket, StringBuilder said, ByteBuffer buffer) implements AutoCloseable {
    Plain(UnixSocket socket) {
      this(socket, new StringBuilder(), ByteBuffer.allocate(4096));
    }

    void write(String text) throws IOException {
      socket.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1)));
    }

    void readUntil(String text) throws IOException {
      int at = said.indexOf(text);
      while (at < 0) {
        if (socket.read(buffer.clear()) < 0) {
          throw new IOException("The end comes before " + text + ": " + said);
        }
        said.append(StandardCharsets.ISO_8859_1.decode(buffer.flip()));
        at = said.indexOf(text);
      }
      said.delete(0, at + text.length());
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
