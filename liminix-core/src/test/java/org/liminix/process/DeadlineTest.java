package org.liminix.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class DeadlineTest {
  @Test
  void passesAtOnceWhenThereIsNoTime() {
    assertThat(Deadline.after(Duration.ZERO).hasPassed()).isTrue();
    assertThat(Deadline.after(Duration.ZERO).remainingNanos()).isZero();
  }

  @Test
  void holdsForDurationsBeyondTheClock() {
    Deadline deadline = Deadline.after(Duration.ofSeconds(Long.MAX_VALUE));
    assertThat(deadline.hasPassed()).isFalse();
    assertThat(deadline.remaining()).isGreaterThan(Duration.ofDays(365));
  }

  @Test
  void refusesANegativeTimeout() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Deadline.after(Duration.ofMillis(-1)))
        .withMessageContaining("PT-0.001S");
  }

  @Test
  void saysDurationsAsAPersonWould() {
    assertThat(Deadline.readable(Duration.ofSeconds(90))).isEqualTo("90 s");
    assertThat(Deadline.readable(Duration.ofMillis(1500))).isEqualTo("1.5 s");
    assertThat(Deadline.readable(Duration.ofMillis(20))).isEqualTo("20 ms");
  }
}
