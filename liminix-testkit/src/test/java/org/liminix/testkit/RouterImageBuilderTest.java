package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RouterImageBuilderTest {
  private final RouterImage.Builder builder = RouterImage.debian(Architecture.MIPSEL);

  @ParameterizedTest
  @ValueSource(strings = {"", "Upper", "two words", "-o=Evil", "removed-", "a=1"})
  void refusesWhatIsNoPackageName(String name) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.packages(name))
        .withMessageContaining("\"" + name + "\"");
  }

  @Test
  void refusesAPackageTwice() {
    builder.packages("ppp");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.packages("nftables", "ppp"))
        .withMessageContaining("ppp is in the image already");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "virtio net", "virtio_net.ko", "../x"})
  void refusesWhatIsNoModuleName(String name) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.modules(name))
        .withMessageContaining("lsmod");
  }

  @Test
  void takesHyphenAndUnderscoreInModuleNamesAsTheSame() {
    builder.modules("virtio_net");
    assertThatIllegalArgumentException().isThrownBy(() -> builder.modules("virtio-net"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"etc/x", "", "/", "/etc/", "/etc//x", "/etc/../x", "/etc/./x", "/a\nb"})
  void refusesAPathThatIsNotPlain(String path) {
    assertThatIllegalArgumentException().isThrownBy(() -> builder.file(path, "text"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/run/x", "/tmp/x", "/var/lib/x", "/proc/x", "/dev/x", "/var"})
  void refusesAFileThatWouldNotBeSeenAndSaysWhereToPutIt(String path) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.file(path, "text"))
        .withMessageContaining("/etc/rc.d");
  }

  @Test
  void refusesAFileTwiceEvenUnderItsOtherName() {
    builder.file("/bin/tool", "text");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.symlink("/usr/bin/tool", "other"))
        .withMessageContaining("given before");
  }

  @Test
  void refusesAModeThatIsMoreThanPermissions() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.file("/etc/x", 755_000, "text"))
        .withMessageContaining("octal");
  }

  @Test
  void refusesAFileOfTheHostThatCannotBeRead() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.file("/etc/x", Path.of("/no/such/file")))
        .withMessageContaining("/no/such/file")
        .withMessageContaining("/etc/x");
  }

  @Test
  void refusesASetterTwice() {
    builder.sources("deb http://example.org/debian bookworm main");
    assertThatIllegalStateException().isThrownBy(() -> builder.sources("deb"));
    builder.cache(Path.of("x"));
    assertThatIllegalStateException().isThrownBy(() -> builder.cache(Path.of("y")));
    builder.maxIndexAge(Duration.ofDays(1));
    assertThatIllegalStateException().isThrownBy(() -> builder.maxIndexAge(Duration.ZERO));
    builder.refresh();
    assertThatIllegalStateException().isThrownBy(builder::refresh);
  }

  @Test
  void refusesBadAgesAndEmptySources() {
    assertThatIllegalArgumentException().isThrownBy(() -> builder.sources(" \n"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.maxIndexAge(Duration.ofSeconds(-1)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "with blank", "quo\"te", "line\n", "back\\slash", "umläut"})
  void refusesAnAccountThatPppdWouldMisread(String word) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RouterImage.pppoeRouter(Architecture.MIPSEL, word, "secret"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RouterImage.pppoeRouter(Architecture.MIPSEL, "name", word));
  }

  @Test
  void letsACallerReplaceAFileOfTheRouter() {
    RouterImage.pppoeRouter(Architecture.MIPSEL).file("/etc/dnsmasq.conf", "port=0\n");
  }
}
