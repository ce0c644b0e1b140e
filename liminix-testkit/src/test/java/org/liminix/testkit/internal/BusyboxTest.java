package org.liminix.testkit.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class BusyboxTest {
  @Test
  void findsTheAppletsInABinary() {
    assertThat(Busybox.applets(Elfs.busybox("ash", "init", "sh")))
        .containsExactly("[", "[[", "ash", "init", "sh");
  }

  @Test
  void agreesWithWhatTheBusyboxOfThisHostSays() throws Exception {
    Tools.require("busybox", "busybox");
    Path binary =
        Files.exists(Path.of("/bin/busybox"))
            ? Path.of("/bin/busybox")
            : Path.of("/usr/bin/busybox");

    assertThat(Busybox.applets(Files.readAllBytes(binary)))
        .containsExactlyElementsOf(Tools.output("busybox", "--list").lines().toList());
  }

  @Test
  void findsNoneInWhatIsNoBusybox() {
    assertThat(Busybox.applets(new byte[100])).isEmpty();
    assertThat(Busybox.applets(Elfs.busybox("ash", "vi"))).isEmpty();
  }
}
