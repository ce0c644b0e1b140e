package org.liminix.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.test.ChildJvm;

@Timeout(60)
class RunDirectoryTest {
  @Test
  void isShortPrivateAndRemovedWithItsContents() throws IOException {
    RunDirectory directory = RunDirectory.create("my router");
    Path path = directory.path();
    assertThat(path).hasFileName("my-router");
    assertThat(path.toString()).hasSizeLessThan(60);
    assertThat(Files.getPosixFilePermissions(path))
        .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    Files.createDirectories(directory.file("a/b"));
    Files.writeString(directory.file("a/b/c"), "content");
    Path outside = Files.createTempFile("outside", "");
    Files.createSymbolicLink(directory.file("link"), outside);

    directory.close();
    directory.close();

    assertThat(path).doesNotExist();
    assertThat(outside).exists();
    Files.delete(outside);
  }

  @Test
  void givesEachOfSeveralOfOneNameItsOwn() {
    try (RunDirectory first = RunDirectory.create("router");
        RunDirectory second = RunDirectory.create("router")) {
      assertThat(first.path()).isNotEqualTo(second.path());
    }
  }

  @Test
  void keepsADirectoryTheCallerChose(@TempDir Path temporary) {
    Path path = temporary.resolve("deep/run");
    try (RunDirectory directory = RunDirectory.at(path)) {
      assertThat(directory.isTemporary()).isFalse();
    }
    assertThat(path).isDirectory();
  }

  @Test
  void refusesASocketPathTheSystemCannotHold(@TempDir Path temporary) {
    Path path = temporary.resolve("x".repeat(100));
    try (RunDirectory directory = RunDirectory.at(path)) {
      assertThatExceptionOfType(LiminixException.class)
          .isThrownBy(() -> directory.socket("console"))
          .withMessageContainingAll(path.toString(), "107", "shorter run directory");
    }
  }

  @Test
  void sweepsWhatAKilledJvmLeft() throws Exception {
    try (ChildJvm killed = ChildJvm.run(HolderMain.class);
        ChildJvm alive = ChildJvm.run(HolderMain.class)) {
      Path stale = Path.of(killed.line());
      Path held = Path.of(alive.line());
      killed.kill();
      assertThat(stale).isDirectory();
      try (ChildJvm next = ChildJvm.run(HolderMain.class)) {
        next.line();
        assertThat(stale.getParent()).doesNotExist();
        assertThat(held).isDirectory();
        next.finish();
      }
      alive.finish();
      assertThat(held.getParent()).doesNotExist();
    }
  }

  /** Makes a run directory and waits for the end of its standard input. */
  static final class HolderMain {
    private HolderMain() {}

    public static void main(String[] arguments) throws IOException {
      System.out.println(RunDirectory.create("held"));
      int end = System.in.read();
      System.exit(end < 0 ? 0 : 1);
    }
  }
}
