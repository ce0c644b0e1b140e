package org.liminix.tftp;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.liminix.process.LiminixException;

/**
 * The command line of this module's jar, which takes what Liminix's {@code tufted} takes: {@code
 * [-a address] folder}. Serves at port 69 until it is interrupted, and prints a line for each
 * transfer that is over. On a terminal there are bars for those under way.
 */
public final class Tufted {
  private static final String USAGE =
      """
      Usage: [-a client]... [-p port] [-l address] folder
        -a client   allow this address, or network such as 192.168.8.0/24; anyone if not given
        -p port     listen at this port instead of 69; 0 means any that is free
        -l address  listen at this address instead of all
      """;

  private Tufted() {}

  /** Serves until the process is ended, and then tells clients so. */
  public static void main(String[] arguments) throws InterruptedException {
    // A log is nothing that this command needs, so its lack is nothing to be told of at each start.
    System.setProperty("slf4j.internal.verbosity", "ERROR");
    try {
      ProgressReport report = new ProgressReport(System.out, isTerminal());
      TftpServer server = start(List.of(arguments), report);
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(
                  () -> {
                    server.close();
                    report.close();
                  }));
      new CountDownLatch(1).await();
    } catch (IllegalArgumentException | LiminixException e) {
      System.err.println(e.getMessage());
      System.exit(1);
    }
  }

  /**
   * Whether standard output is a terminal that can move its cursor. Not asked of {@code
   * System.console()}, which is absent when only the input is redirected, and which in Java 22 to
   * 24 is there in any case.
   */
  private static boolean isTerminal() {
    String kind = System.getenv("TERM");
    if (kind == null || kind.equals("dumb")) {
      return false;
    }
    try {
      String output = Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString();
      return output.startsWith("/dev/pts/")
          || output.startsWith("/dev/tty")
          || output.equals("/dev/console");
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }

  /** Starts what the arguments say. */
  static TftpServer start(List<String> arguments, ProgressReport report) {
    List<String> allowed = new ArrayList<>();
    int port = 69;
    @Nullable String address = null;
    int at = 0;
    while (at + 1 < arguments.size() && arguments.get(at).startsWith("-")) {
      String value = arguments.get(at + 1);
      switch (arguments.get(at)) {
        case "-a" -> allowed.add(value);
        case "-p" -> port = port(value);
        case "-l" -> address = value;
        default -> throw new IllegalArgumentException(USAGE);
      }
      at += 2;
    }
    if (at != arguments.size() - 1 || arguments.get(at).startsWith("-")) {
      throw new IllegalArgumentException(USAGE);
    }
    Path folder = Path.of(arguments.get(at));
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException("There is no folder " + folder);
    }
    TftpServerBuilder builder =
        allowed.isEmpty()
            ? TftpServer.allowAnyone()
            : TftpServer.allow(
                allowed.get(0), allowed.subList(1, allowed.size()).toArray(String[]::new));
    if (address != null) {
      builder.address(address);
    }
    TftpServer server = builder.root(folder).port(port).listener(report).start();
    report.say(
        "TFTP serving from "
            + folder.toAbsolutePath().normalize()
            + " at port "
            + server.port()
            + (allowed.isEmpty() ? ", to anyone" : ", to " + String.join(", ", allowed)));
    return server;
  }

  private static int port(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("\"" + text + "\" is no port; write one like 6969", e);
    }
  }
}
