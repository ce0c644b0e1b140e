package org.liminix.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.liminix.process.Deadline;
import org.liminix.process.UnixSocket;

/** The far end of a console under test: a socket on which the test says what a guest would. */
final class Peer implements AutoCloseable {
  private final UnixSocket socket;
  private final Console console;

  private Peer(UnixSocket socket, Console console) {
    this.socket = socket;
    this.console = console;
  }

  static Peer connect(Path directory) throws IOException {
    return connect(directory, "test");
  }

  static Peer connect(Path directory, String name) throws IOException {
    return connect(directory, name, builder -> builder.file(directory.resolve("console.log")));
  }

  static Peer connect(Path directory, String name, UnaryOperator<ConsoleBuilder> options)
      throws IOException {
    try (UnixSocket.Listener listener = UnixSocket.listen(directory.resolve("peer-" + name))) {
      UnixSocket near = UnixSocket.connect(listener.path());
      return new Peer(
          listener.accept(Deadline.after(Duration.ofSeconds(20))),
          options.apply(Console.over(near).name(name)).open());
    }
  }

  Console console() {
    return console;
  }

  void says(String text) throws IOException {
    says(text.getBytes(StandardCharsets.UTF_8));
  }

  void says(byte[] bytes) throws IOException {
    socket.write(ByteBuffer.wrap(bytes));
  }

  /** What was typed on the console, up to and including that text. */
  String hears(String until) throws IOException {
    StringBuilder heard = new StringBuilder();
    ByteBuffer one = ByteBuffer.allocate(1);
    while (heard.indexOf(until) < 0 && socket.read(one.clear()) > 0) {
      heard.append((char) one.get(0));
    }
    return heard.toString();
  }

  void hangsUp() throws IOException {
    socket.close();
  }

  @Override
  public void close() throws IOException {
    console.close();
    socket.close();
  }
}
