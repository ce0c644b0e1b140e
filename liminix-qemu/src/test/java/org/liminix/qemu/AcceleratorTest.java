package org.liminix.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class AcceleratorTest {
  @Test
  void translatesWhatIsNotTheHostsOwn() {
    Accelerator.Choice choice = Accelerator.choose(null, Machine.MIPS, Optional.empty(), "amd64");
    assertThat(choice.accelerator()).isEqualTo(Accelerator.TCG);
    assertThat(choice.reason()).contains("mips is not what the processor");
    assertThat(choice.advice()).isEmpty();
  }

  @Test
  void obeysTheProperty() {
    assertThat(Accelerator.choose(null, Machine.X86_64, Optional.of("tcg"), "amd64").accelerator())
        .isEqualTo(Accelerator.TCG);
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> Accelerator.choose(null, Machine.X86_64, Optional.of("xen"), "amd64"))
        .withMessageContainingAll("xen", "tcg or kvm");
  }

  @Test
  void refusesKvmForTheWrongProcessor() {
    assertThatExceptionOfType(VmException.class)
        .isThrownBy(
            () -> Accelerator.choose(Accelerator.KVM, Machine.MIPS, Optional.empty(), "amd64"))
        .withMessageContaining("use accelerator(TCG)");
  }

  @Test
  void advisesAgainstKvmWhereItFails() {
    assertThat(new Accelerator.Choice(Accelerator.KVM, "it was asked for").advice())
        .contains("KVM", "accelerator(TCG)", "liminix.accelerator=tcg");
  }
}
