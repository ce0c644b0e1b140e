package org.liminix.console;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.liminix.process.Deadline;
import org.liminix.process.Executable;
import org.liminix.process.RunDirectory;
import org.liminix.process.SupervisedProcess;
import org.liminix.process.UnixSocket;

/** A shell of this machine on a pseudo-terminal, behind a unix socket, as a guest's would be. */
final class HostShell implements AutoCloseable {
  private final RunDirectory directory;
  private final SupervisedProcess socat;
  private final Console console;

  private HostShell(RunDirectory directory, SupervisedProcess socat, Console console) {
    this.directory = directory;
    this.socat = socat;
    this.console = console;
  }

  /** Starts it, for example "/bin/sh", or "pipe:/bin/sh" without a terminal. */
  static HostShell start(String command) throws IOException {
    Assumptions.assumeTrue(
        Executable.named("socat").lookUp().isPresent(), "socat is missing: apt-get install socat");
    boolean terminal = !command.startsWith("pipe:");
    String program = terminal ? command : command.substring("pipe:".length());
    RunDirectory directory = RunDirectory.create("shell");
    Path path = directory.socket("s");
    try (UnixSocket.Listener listener = UnixSocket.listen(path)) {
      SupervisedProcess socat =
          SupervisedProcess.of(
                  List.of(
                      "socat",
                      "unix-connect:" + path,
                      "exec:\""
                          + program
                          + "\""
                          + (terminal ? ",pty,setsid,ctty,stderr" : ",stderr")))
              .directory(directory)
              .start();
      Console console =
          Console.over(listener.accept(Deadline.after(Duration.ofSeconds(20))))
              .name(program)
              .timeout(Duration.ofSeconds(20))
              .open();
      return new HostShell(directory, socat, console);
    }
  }

  Console console() {
    return console;
  }

  @Override
  public void close() {
    console.close();
    socat.close();
    directory.close();
  }
}
