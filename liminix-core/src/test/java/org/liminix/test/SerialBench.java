package org.liminix.test;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.liminix.process.Deadline;
import org.liminix.process.Executable;
import org.liminix.process.RunDirectory;
import org.liminix.process.SupervisedProcess;
import org.liminix.process.UnixSocket;

/**
 * A serial device, a pseudo-terminal that socat makes, with a board at its other end; and ser2net,
 * which serves it to the network.
 */
public final class SerialBench implements AutoCloseable {
  private static final Duration LONG = Duration.ofSeconds(30);

  private final RunDirectory directory = RunDirectory.create("serial");
  private final Path device = directory.file("tty");
  private final List<AutoCloseable> parts = new ArrayList<>(List.of(directory));

  private SerialBench() {}

  /** With what socat knows as the board, such as {@code exec:/bin/sh,pty,setsid,ctty,stderr}. */
  public static SerialBench with(String board) throws IOException {
    require("socat");
    SerialBench bench = new SerialBench();
    bench.run("socat", board, "pty,rawer,link=" + bench.device);
    bench.await(bench.device);
    return bench;
  }

  /** With a socket as the board. */
  public static SerialBench withSocket(List<UnixSocket> board) throws IOException {
    RunDirectory directory = RunDirectory.create("board");
    try (UnixSocket.Listener listener = UnixSocket.listen(directory.socket("s"))) {
      SerialBench bench = with("unix-connect:" + listener.path());
      UnixSocket socket = listener.accept(Deadline.after(LONG));
      bench.parts.addAll(List.of(directory, socket));
      board.add(socket);
      return bench;
    }
  }

  public static void require(String program) {
    Assumptions.assumeTrue(
        Executable.named(program).lookUp().isPresent(),
        program + " is missing: apt-get install " + program);
  }

  public Path device() {
    return device;
  }

  /** What stty says of the device. */
  public String stty() throws Exception {
    Process stty =
        new ProcessBuilder("stty", "-a", "-F", device.toString()).redirectErrorStream(true).start();
    String output = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    stty.waitFor();
    return output;
  }

  public SupervisedProcess run(String... command) {
    SupervisedProcess process = SupervisedProcess.of(List.of(command)).directory(directory).start();
    parts.add(process);
    return process;
  }

  /**
   * Serves the device with ser2net.
   *
   * @param accepter "telnet(rfc2217)", "telnet" or "" for a raw port
   * @return the port, of a relay in this JVM, since ser2net would need a fixed one
   */
  public int serve(String accepter) throws IOException {
    Assumptions.assumeTrue(
        Executable.named("/usr/sbin/ser2net").lookUp().isPresent(),
        "ser2net is missing: apt-get install ser2net");
    Path socket = directory.socket("ser2net");
    run(
        "/usr/sbin/ser2net",
        "-n",
        "-u",
        "-Y",
        "connection: &a#  accepter: %sunix,%s#  connector: serialdev,%s,9600n81,local#"
            .formatted(accepter.isEmpty() ? "" : accepter + ",", socket, device));
    await(socket);
    return relay(() -> connected(socket));
  }

  private static UnixSocket connected(Path path) throws IOException {
    Deadline deadline = Deadline.after(LONG);
    while (true) {
      try {
        return UnixSocket.connect(path);
      } catch (ConnectException e) { // it is bound, and does not listen yet
        if (deadline.hasPassed()) {
          throw e;
        }
        Thread.onSpinWait();
      }
    }
  }

  interface Opener {
    UnixSocket open() throws IOException;
  }

  private int relay(Opener opener) throws IOException {
    ServerSocketChannel server =
        ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    parts.add(server);
    inBackground(
        () -> {
          while (true) {
            UnixSocket client = UnixSocket.of(server.accept());
            UnixSocket peer = opener.open();
            parts.addAll(List.of(client, peer));
            inBackground(() -> copy(client, peer));
            inBackground(() -> copy(peer, client));
          }
        });
    return server.socket().getLocalPort();
  }

  interface Task {
    void run() throws IOException;
  }

  private static void inBackground(Task task) {
    Thread thread =
        new Thread(
            () -> {
              try {
                task.run();
              } catch (IOException e) {
                // One end has gone, as it does when the test ends.
              }
            });
    thread.setDaemon(true);
    thread.start();
  }

  private static void copy(ByteChannel from, ByteChannel to) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(8192);
    try (from;
        to) {
      while (from.read(buffer.clear()) >= 0) {
        to.write(buffer.flip());
      }
    }
  }

  /** Waits for a file or link that somebody else makes. */
  private void await(Path path) throws IOException {
    Path parent = Objects.requireNonNull(path.getParent());
    try (var watch = path.getFileSystem().newWatchService()) {
      parent.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
      while (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
        var key = watch.poll(30, TimeUnit.SECONDS);
        if (key == null) {
          throw new IOException("Nobody makes " + path);
        }
        key.pollEvents();
        key.reset();
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  @Override
  public void close() throws Exception {
    List<AutoCloseable> reverse = new ArrayList<>(parts);
    Collections.reverse(reverse);
    for (AutoCloseable part : reverse) {
      part.close();
    }
  }
}
