package org.liminix.uboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A program from Debian that a test holds its own work against; missing, it skips the test. */
record DebianTool(String program, String debianPackage) {
  static final DebianTool MKIMAGE = new DebianTool("mkimage", "u-boot-tools");
  static final DebianTool DUMPIMAGE = new DebianTool("dumpimage", "u-boot-tools");
  static final DebianTool DTC = new DebianTool("dtc", "device-tree-compiler");
  static final DebianTool FDTPUT = new DebianTool("fdtput", "device-tree-compiler");
  static final DebianTool OBJCOPY = new DebianTool("objcopy", "binutils");
  static final DebianTool DD = new DebianTool("dd", "coreutils");
  static final DebianTool LZMA = new DebianTool("lzma", "xz-utils");

  /** Runs it in a directory, as of the epoch second 1700000000, and returns what it printed. */
  String run(Path directory, Object... arguments) throws IOException, InterruptedException {
    assumeTrue(isInstalled(), program + " is missing; apt-get install " + debianPackage);
    List<String> command = new ArrayList<>(List.of(program));
    Stream.of(arguments).map(Object::toString).forEach(command::add);
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
    builder.environment().putAll(Map.of("SOURCE_DATE_EPOCH", "1700000000", "TZ", "UTC"));
    Process process = builder.start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("exit status of %s: %s", command, output).isZero();
    return output;
  }

  boolean isInstalled() {
    return Stream.of(System.getenv("PATH").split(":"))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
  }
}
