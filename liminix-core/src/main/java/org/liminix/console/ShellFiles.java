package org.liminix.console;

import com.google.common.hash.Hashing;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import org.liminix.process.Deadline;

/**
 * Carries files over a console, as base64 (RFC 4648, section 4), which is what survives a terminal.
 * The guest needs {@code base64} and {@code md5sum}, as busybox and coreutils have them.
 */
final class ShellFiles {
  /** Of base64 in one line, which with its command stays below what a line editor takes. */
  private static final int LINE = 720;

  private final Shell shell;
  private final Deadline deadline;

  ShellFiles(Shell shell, Duration timeout) {
    this.shell = shell;
    this.deadline = Deadline.after(timeout);
  }

  void upload(byte[] content, String path) {
    require("base64", "md5sum");
    String target = quote(path);
    String coded = quote(path + ".base64");
    run(": >" + coded);
    String text = Base64.getEncoder().encodeToString(content);
    for (int from = 0; from < text.length(); from += LINE) {
      run("echo " + text.substring(from, Math.min(text.length(), from + LINE)) + " >>" + coded);
    }
    run("base64 -d <" + coded + " >" + target + " && rm " + coded);
    requireSame(content, path, "arrived");
  }

  byte[] download(String path) {
    require("base64", "md5sum");
    String text = run("base64 <" + quote(path)).output();
    byte[] content;
    try {
      content = Base64.getMimeDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      throw new ConsoleException(
          "What came of " + path + " is not base64: something else wrote", e);
    }
    requireSame(content, path, "came");
    return content;
  }

  private void requireSame(byte[] content, String path, String what) {
    // busybox may have been built without the SHA sums; this is against line noise, not enemies.
    @SuppressWarnings("deprecation")
    String expected = Hashing.md5().hashBytes(content).toString();
    String actual = run("md5sum <" + quote(path)).output();
    if (!actual.startsWith(expected)) {
      throw new ConsoleException(
          "%s has not %s intact: its MD5 sum is %s here and %s there; the line may lose characters"
              .formatted(path, what, expected, actual));
    }
  }

  private void require(String... programs) {
    for (String program : programs) {
      if (!shell.run("command -v " + program, deadline.remaining()).succeeded()) {
        throw new ConsoleException(
            "Files go over a console with "
                + String.join(" and ", Arrays.asList(programs))
                + ", and the machine has no "
                + program
                + ": add it, in busybox say, or carry the file over a network");
      }
    }
  }

  private CommandResult run(String command) {
    return shell.run(command, deadline.remaining()).orThrow();
  }

  static String quote(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }
}
