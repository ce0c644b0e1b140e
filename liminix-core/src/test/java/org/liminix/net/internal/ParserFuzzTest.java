package org.liminix.net.internal;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Whatever the network sends, parsing ends with a message or with none, and what was read is
 * written as it was; run with {@code JAZZER_FUZZ=1} to search, otherwise the known inputs are
 * tried.
 */
class ParserFuzzTest {
  @FuzzTest(maxDuration = "2m")
  void readsAnyDnsMessage(byte[] bytes) {
    Optional<DnsMessage> parsed = DnsMessage.parse(ByteBuffer.wrap(bytes));
    if (parsed.isEmpty()) {
      return;
    }
    DnsMessage message = parsed.get();
    // A message can name the same long name often, so writing it takes more room than it had.
    Optional<ByteBuffer> written = message.encode(1 << 14);
    if (written.isEmpty()) {
      return;
    }
    DnsMessage again = DnsMessage.parse(written.get()).orElseThrow();
    check(again.questions().equals(message.questions()), "questions " + message);
    check(again.answers().size() == message.answers().size(), "answers " + message);
    for (int i = 0; i < again.additional().size(); i++) {
      DnsMessage.Resource one = again.additional().get(i);
      DnsMessage.Resource other = message.additional().get(i);
      check(one.name().equals(other.name()) && one.ttl() == other.ttl(), "record " + other);
      DnsName.check(one.name());
    }
  }

  @FuzzTest(maxDuration = "2m")
  void readsAnyDhcpMessage(byte[] bytes) {
    Optional<DhcpMessage> parsed = DhcpMessage.parse(ByteBuffer.wrap(bytes));
    if (parsed.isEmpty()) {
      return;
    }
    DhcpMessage message = parsed.get();
    message.options().remove(DhcpMessage.OVERLOAD); // says where options stood
    DhcpMessage again = DhcpMessage.parse(message.encode()).orElseThrow();
    check(again.options().keySet().equals(message.options().keySet()), "options " + message);
    check(again.hardwareAddress() == message.hardwareAddress(), "card " + message);
    check(message.encode(548).remaining() <= 548, "length " + message);
    message.type();
    message.addresses(DhcpMessage.ROUTER);
    message.seconds(DhcpMessage.LEASE_TIME);
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }
}
