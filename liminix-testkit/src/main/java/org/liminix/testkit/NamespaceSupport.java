package org.liminix.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.liminix.process.Executable;
import org.liminix.process.MissingToolException;
import org.liminix.process.WaitInterruptedException;

/** What this machine must have for a {@link LinuxHost}, and why it may not. */
final class NamespaceSupport {
  static final Path TUN = Path.of("/dev/net/tun");
  private static final Path SYSCTLS = Path.of("/proc/sys");
  private static final int PATIENCE_SECONDS = 30;

  /** Namespaces of a user's own in which it is root, see user_namespaces(7). */
  private static final List<String> NAMESPACES =
      List.of(
          "--user",
          "--map-root-user",
          "--net",
          "--mount",
          "--pid",
          "--uts",
          "--fork",
          "--kill-child");

  private NamespaceSupport() {}

  /** The words that run a command as the first process of new namespaces. */
  static List<String> inNewNamespaces(List<String> command) {
    List<String> words = new ArrayList<>(List.of(tool("unshare")));
    words.addAll(NAMESPACES);
    words.addAll(command);
    return words;
  }

  /**
   * A program of the packages that this needs.
   *
   * @throws MissingToolException if this machine does not have it
   */
  static String tool(String name) {
    String debianPackage =
        switch (name) {
          case "ip" -> "iproute2";
          case "perl" -> "perl-base";
          case "mount" -> "mount";
          case "busybox" -> "busybox";
          default -> "util-linux";
        };
    // An ordinary user's PATH may lack the places of programs for root.
    return Executable.named(name)
        .lookUp()
        .or(() -> Executable.named("/usr/sbin/" + name).lookUp())
        .or(() -> Executable.named("/sbin/" + name).lookUp())
        .orElseGet(() -> Executable.named(name).fromDebianPackage(debianPackage).find())
        .toString();
  }

  /** Why this machine cannot run a host, and what to do about it; empty if it can. */
  static Optional<String> problem() {
    try {
      for (String name : new String[] {"nsenter", "setpriv", "perl", "ip", "mount"}) {
        tool(name);
      }
      return tunProblem(TUN).or(() -> namespaceProblem());
    } catch (MissingToolException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  static Optional<String> tunProblem(Path tun) {
    if (!Files.exists(tun)) {
      return Optional.of(
          "There is no "
              + tun
              + ", which makes network cards: as root, modprobe tun; in a container, start it with --device "
              + tun);
    }
    if (!Files.isReadable(tun) || !Files.isWritable(tun)) {
      return Optional.of(
          tun
              + " is not open to this user: as root, chmod 0666 "
              + tun
              + ", which is its usual mode");
    }
    return Optional.empty();
  }

  private static Optional<String> namespaceProblem() {
    try {
      Process probe =
          new ProcessBuilder(inNewNamespaces(List.of("true"))).redirectErrorStream(true).start();
      probe.getOutputStream().close();
      try {
        if (!probe.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
          return Optional.of("unshare does not come to an end");
        }
        String words =
            new String(probe.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        return probe.exitValue() == 0 ? Optional.empty() : Optional.of(refusal(SYSCTLS, words));
      } finally {
        probe.destroyForcibly();
      }
    } catch (IOException e) {
      return Optional.of("unshare cannot be run: " + e.getMessage());
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("unshare", e);
    }
  }

  /** Why namespaces were refused, as the machine's settings tell. */
  static String refusal(Path sysctls, String words) {
    String fix;
    if (setting(sysctls, "user/max_user_namespaces").equals("0")) {
      fix = "this machine allows none: as root, sysctl -w user.max_user_namespaces=15000";
    } else if (setting(sysctls, "kernel/unprivileged_userns_clone").equals("0")) {
      fix =
          "this machine leaves them to root: as root, sysctl -w kernel.unprivileged_userns_clone=1";
    } else if (setting(sysctls, "kernel/apparmor_restrict_unprivileged_userns").equals("1")) {
      fix =
          "AppArmor restricts them: as root, sysctl -w kernel.apparmor_restrict_unprivileged_userns=0,"
              + " or give java a profile that allows userns";
    } else {
      fix =
          "if this is a container, its seccomp filter forbids them: start it with"
              + " --security-opt seccomp=unconfined";
    }
    return "Namespaces of a user's own are refused (" + words + "); " + fix;
  }

  private static String setting(Path sysctls, String name) {
    try {
      return Files.readString(sysctls.resolve(name)).strip();
    } catch (IOException e) {
      return ""; // this kernel has no such setting
    }
  }
}
