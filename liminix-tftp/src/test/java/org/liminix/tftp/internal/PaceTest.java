package org.liminix.tftp.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PaceTest {
  private final Pace pace = new Pace(16);

  @Test
  void halvesBurstsWithEachLoss() {
    pace.lost();
    assertThat(pace.burst()).isEqualTo(8);
    pace.suspectLoss();
    assertThat(pace.burst()).isEqualTo(4);
    assertThat(pace.losses()).isEqualTo(2);
  }

  @Test
  void neverSendsLessThanABlock() {
    for (int i = 0; i < 10; i++) {
      pace.lost();
    }
    assertThat(pace.burst()).isEqualTo(1);
  }

  @Test
  void doublesBurstsAfterManyWindowsWithoutALoss() {
    pace.lost();
    assertThat(windowsUntilBurstOf(16)).isEqualTo(32);
  }

  @Test
  void waitsTwiceAsLongAfterEachFurtherLoss() {
    pace.lost();
    windowsUntilBurstOf(16);
    pace.lost();
    assertThat(windowsUntilBurstOf(16)).isEqualTo(64);
  }

  @Test
  void isAsFastAsBeforeWhenThePeerWasMerelySlow() {
    pace.lost();
    for (int i = 0; i < 3; i++) {
      pace.suspectLoss();
    }
    pace.dismissLoss();
    assertThat(pace.burst()).isEqualTo(8);
    assertThat(pace.losses()).isEqualTo(1);
    assertThat(windowsUntilBurstOf(16)).isEqualTo(32);
  }

  @Test
  void keepsToALossThatWasConfirmed() {
    pace.suspectLoss();
    pace.confirmLoss();
    pace.suspectLoss();
    pace.dismissLoss();
    assertThat(pace.burst()).isEqualTo(8);
    assertThat(pace.losses()).isEqualTo(1);
  }

  @Test
  void knowsWhatIsBorneAfterManyWindowsWithoutALoss() {
    pace.lost();
    pace.lost();
    assertThat(pace.borne()).isEqualTo(16);
    for (int i = 0; i < 63; i++) {
      pace.windowArrived();
    }
    assertThat(pace.borne()).isEqualTo(16);
    pace.lost();
    for (int i = 0; i < 64; i++) {
      pace.windowArrived();
    }
    assertThat(pace.borne()).isEqualTo(2);
  }

  private int windowsUntilBurstOf(int burst) {
    int windows = 0;
    while (pace.burst() < burst) {
      pace.windowArrived();
      windows++;
    }
    return windows;
  }
}
