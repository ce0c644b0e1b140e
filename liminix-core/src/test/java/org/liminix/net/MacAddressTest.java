package org.liminix.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MacAddressTest {
  @Test
  void isWrittenAsItIsParsed() {
    assertThat(MacAddress.parse("52:54:00:AB-cd:ef".replace('-', ':')))
        .hasToString("52:54:00:ab:cd:ef")
        .isEqualTo(MacAddress.parse("52-54-0-ab-cd-ef"))
        .isEqualTo(MacAddress.of(0x525400abcdefL));
  }

  @Test
  void crossesABuffer() {
    ByteBuffer buffer = ByteBuffer.allocate(MacAddress.LENGTH);
    MacAddress address = MacAddress.parse("fe:dc:ba:98:76:54");
    address.write(buffer);
    assertThat(MacAddress.read(buffer.flip())).isEqualTo(address);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "52:54:00:12:34", "52:54:00:12:34:5g", "52:54-00:12:34:56", "525400123456"})
  void refusesWhatIsNone(String text) {
    assertThatThrownBy(() -> MacAddress.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("52:54:00:12:34:56");
  }

  @RepeatedTest(20)
  void inventsAddressesOfSingleStationsThatNoVendorOwns() {
    MacAddress address = MacAddress.random();
    assertThat(address.isMulticast()).isFalse();
    assertThat(address.toString().charAt(1)).isIn('2', '6', 'a', 'e');
  }

  @Test
  void tellsGroupsFromStations() {
    assertThat(MacAddress.BROADCAST.isMulticast()).isTrue();
    assertThat(MacAddress.parse("01:00:5e:00:00:01").isMulticast()).isTrue();
    assertThat(MacAddress.parse("02:00:5e:00:00:01").isMulticast()).isFalse();
  }
}
