package org.liminix.testkit.internal;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import org.liminix.process.Executable;

/** Programs that tests use as peers. */
public final class Tools {
  private Tools() {}

  /** Skips the test if that program is not on the path. */
  public static void require(String program, String debianPackage) {
    assumeTrue(
        Executable.named(program).lookUp().isPresent(),
        program + " is not installed: apt-get install " + debianPackage);
  }

  /** Skips the test if images cannot be built here. */
  public static void requireImageBuilding() {
    require("apt-get", "apt");
    require("sqfstar", "squashfs-tools");
  }

  /** The output of a program that is expected to succeed. */
  public static String output(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new AssertionError(String.join(" ", command) + " said:\n" + output);
    }
    return output;
  }
}
