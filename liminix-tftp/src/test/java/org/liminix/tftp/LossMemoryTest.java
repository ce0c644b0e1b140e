package org.liminix.tftp;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import org.junit.jupiter.api.Test;

class LossMemoryTest {
  private final LossMemory memory = new LossMemory();
  private final InetAddress board = InetAddress.getLoopbackAddress();

  @Test
  void offersEverythingToAClientItDoesNotKnow() {
    assertThat(memory.windowFor(board, 16)).isEqualTo(16);
  }

  @Test
  void offersAClientThatLostPacketsTheBurstItBore() {
    memory.learn(board, 16, 4, 2);
    assertThat(memory.windowFor(board, 16)).isEqualTo(2);
  }

  @Test
  void offersHalfToOneThatLostPacketsNowAndThen() {
    memory.learn(board, 16, 4, 16);
    assertThat(memory.windowFor(board, 16)).isEqualTo(8);
  }

  @Test
  void toleratesSomeLossesInALongTransfer() {
    memory.learn(board, 16, 3, 2);
    assertThat(memory.windowFor(board, 16)).isEqualTo(16);
  }

  @Test
  void offersMoreAgainAfterEachTransferWithoutLoss() {
    memory.learn(board, 16, 4, 2);
    memory.learn(board, 2, 0, 2);
    assertThat(memory.windowFor(board, 16)).isEqualTo(3);
  }

  @Test
  void neverOffersMoreThanIsAllowed() {
    memory.learn(board, 64, 4, 32);
    assertThat(memory.windowFor(board, 16)).isEqualTo(16);
  }
}
