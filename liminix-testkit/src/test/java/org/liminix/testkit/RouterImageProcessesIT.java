package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.testkit.internal.TestRepository;
import org.liminix.testkit.internal.Tools;

class RouterImageProcessesIT {
  @TempDir Path cache;
  @TempDir Path archive;
  @TempDir Path programs;
  private TestRepository repository;

  @BeforeEach
  void publishPackages() throws IOException {
    Tools.requireImageBuilding();
    repository = TestRepository.create(archive);
  }

  @Test
  void severalProcessesBuildTheSameImageTogether() throws Exception {
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      processes.add(ImageProcess.start(cache, repository.sources(), programs));
    }

    List<String> outputs = new ArrayList<>();
    for (Process process : processes) {
      outputs.add(lastLine(process));
      assertThat(process.waitFor()).as(outputs.toString()).isZero();
    }

    assertThat(outputs).containsOnly(outputs.get(0));
    assertThat(Path.of(outputs.get(0))).exists();
    assertOneImage();
  }

  @Test
  void aBuildThatIsKilledLeavesNothingInTheWayOfTheNext() throws Exception {
    // A sqfstar that has started says so through one pipe and waits for another.
    Path started = programs.resolve("started");
    Path release = programs.resolve("release");
    Tools.output("mkfifo", started.toString(), release.toString());
    Path sqfstar = programs.resolve("sqfstar");
    Files.writeString(
        sqfstar, "#!/bin/sh\necho $$ > " + started + "\nread line < " + release + "\n");
    Files.setPosixFilePermissions(sqfstar, PosixFilePermissions.fromString("rwxr-xr-x"));

    Process killed = ImageProcess.start(cache, repository.sources(), programs);
    try (BufferedReader reader = Files.newBufferedReader(started)) {
      assertThat(reader.readLine()).isNotEmpty();
    } finally {
      killed.destroyForcibly();
    }
    assertThat(killed.waitFor()).isNotZero();
    Files.newOutputStream(release).close();
    Files.delete(sqfstar);

    RouterImage image =
        RouterImage.debian(Architecture.MIPSEL).cache(cache).sources(repository.sources()).build();

    assertThat(image.rootfs().orElseThrow()).isNotEmptyFile();
    assertOneImage();
  }

  private void assertOneImage() throws IOException {
    try (Stream<Path> images = Files.list(cache.resolve("images"))) {
      assertThat(images.filter(image -> !image.endsWith(".locks"))).hasSize(1);
    }
  }

  private static String lastLine(Process process) throws IOException {
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    List<String> lines = output.lines().toList();
    return lines.isEmpty() ? "" : lines.get(lines.size() - 1);
  }
}
