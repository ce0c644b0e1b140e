package org.liminix.console;

import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.liminix.console.FileTool.Decoder;
import org.liminix.console.FileTool.Encoder;
import org.liminix.console.FileTool.Probe;
import org.liminix.console.FileTool.Summer;
import org.liminix.console.FileTool.Tried;
import org.liminix.process.Deadline;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries files over a console as text, which is what survives a terminal, with what programs the
 * machine has. These are looked for once.
 */
final class ShellFiles {
  private static final Logger log = LoggerFactory.getLogger(ShellFiles.class);

  /** Of text in one round trip: a terminal keeps 4096 bytes that have not been read yet. */
  private static final int BATCH = 3000;

  private static final Duration TIDY_UP = Duration.ofSeconds(5);

  private final Shell shell;
  private volatile @Nullable Decoder decoder;
  private volatile @Nullable Encoder encoder;
  private volatile @Nullable Summer summer;

  ShellFiles(Shell shell) {
    this.shell = shell;
  }

  void upload(byte[] content, String path, Deadline deadline) {
    Decoder chosen = decoder(deadline);
    Summer check = summer(deadline);
    String target = ShellWords.path(path);
    String text = ShellWords.path(path + "." + shell.newId());
    run("the upload of " + path, ": >" + text, deadline);
    try {
      List<String> lines = chosen.lines().apply(content);
      for (int from = 0, to; from < lines.size(); from = to) {
        int length = 0;
        for (to = from; to < lines.size() && (to == from || length < BATCH); to++) {
          length += lines.get(to).length();
        }
        run(
            "the upload of " + path,
            chosen.append().apply(lines.subList(from, to)) + " >>" + text,
            deadline);
      }
      String finish = chosen.finish().formatted(text, target) + " && rm " + text;
      run("the upload of " + path, finish, deadline);
    } catch (RuntimeException e) {
      tidyUp(text, e);
      throw e;
    }
    requireSame(check, content, path, "arrived", deadline);
  }

  private void tidyUp(String file, RuntimeException reason) {
    try {
      var unused = shell.execute("rm", "rm -f " + file, Deadline.after(TIDY_UP));
    } catch (RuntimeException e) {
      log.debug("{} is left behind on {}", file, shell, e);
      reason.addSuppressed(e);
    }
  }

  byte[] download(String path, Deadline deadline) {
    Encoder chosen = encoder(deadline);
    Summer check = summer(deadline);
    String text =
        run("the download of " + path, chosen.command() + " <" + ShellWords.path(path), deadline)
            .output();
    byte[] content;
    try {
      content = chosen.decode().apply(text);
    } catch (IllegalArgumentException e) {
      throw new ConsoleException(
          "What came of %s is not what %s prints: something else wrote, or the line has lost"
                  .formatted(path, chosen.probe().name())
              + " characters",
          e);
    }
    requireSame(check, content, path, "come", deadline);
    return content;
  }

  private void requireSame(
      Summer check, byte[] content, String path, String what, Deadline deadline) {
    String expected = check.sum().apply(content);
    String actual =
        run("the sum of " + path, check.command() + " <" + ShellWords.path(path), deadline)
            .output();
    if (!actual.contains(expected)) {
      throw new ConsoleException(
          "%s has not %s intact: its sum by %s is %s here and %s there; the line may lose characters"
              .formatted(path, what, check.probe().name(), expected, actual));
    }
  }

  private Decoder decoder(Deadline deadline) {
    Decoder found = decoder;
    if (found == null) {
      decoder = found = find("To upload a file", FileTool.DECODERS, deadline);
    }
    return found;
  }

  private Encoder encoder(Deadline deadline) {
    Encoder found = encoder;
    if (found == null) {
      encoder = found = find("To download a file", FileTool.ENCODERS, deadline);
    }
    return found;
  }

  private Summer summer(Deadline deadline) {
    Summer found = summer;
    if (found == null) {
      summer = found = find("To check a file that goes over it", FileTool.SUMMERS, deadline);
    }
    return found;
  }

  private <T extends Tried> T find(String purpose, List<T> tools, Deadline deadline) {
    String script =
        tools.stream()
            .map(Tried::probe)
            .map(
                probe ->
                    "case $({ %s; } 2>/dev/null) in %s) echo %s; exit;; esac"
                        .formatted(probe.trial(), probe.expected(), probe.name()))
            .collect(Collectors.joining("\n", "(\n", "\n)"));
    String name = shell.execute("a look for programs", script, deadline).output();
    return tools.stream()
        .filter(tool -> tool.probe().name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new ConsoleException(
                    "%s, the machine behind console %s needs one of %s, and none of these works there: add one, in busybox say, or carry the file over a network"
                        .formatted(
                            purpose,
                            shell.console().name(),
                            tools.stream()
                                .map(Tried::probe)
                                .map(Probe::name)
                                .collect(Collectors.joining(", ")))));
  }

  private CommandResult run(String what, String script, Deadline deadline) {
    return shell.execute(what, script, deadline).orThrow();
  }
}
