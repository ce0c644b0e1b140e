package org.liminix.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;

class ExecutableTest {
  @Test
  void namesTheDebianPackageOfAMissingProgram() {
    assertThatExceptionOfType(MissingToolException.class)
        .isThrownBy(() -> Executable.named("qemu-system-pdp11").fromDebianPackage("simh").find())
        .withMessage("qemu-system-pdp11 is not on the PATH; to install it: apt-get install simh");
    assertThat(Executable.named("sh").find()).isExecutable();
  }
}
