package org.liminix.net;

import com.google.common.primitives.Bytes;
import com.google.common.primitives.Ints;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.liminix.net.internal.DnsMessage;
import org.liminix.net.internal.EventLog;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The server's side of DNS over UDP (RFC 1035 section 4.2.1, RFC 6891). Confined to the loop. */
final class DnsResponder {
  private static final Logger log = LoggerFactory.getLogger(DnsResponder.class);

  /** What is sent at most, whatever a client takes (RFC 6891 section 6.2.5). */
  private static final int MOST_SIZE = 4096;

  private static final int MAX_ALIASES = 16;

  private final DnsSettings settings;
  private final EventLog<DnsQuery> queries;
  private final DatagramEndpoint endpoint;

  DnsResponder(DnsSettings settings, DatagramHost host, EventLog<DnsQuery> queries) {
    this.settings = settings;
    this.queries = queries;
    this.endpoint = host.bind(settings.port(), this::received);
  }

  InetSocketAddress localAddress() {
    return endpoint.localAddress();
  }

  void close() {
    endpoint.close();
  }

  private void received(ByteBuffer payload, InetSocketAddress client, DatagramEndpoint ours) {
    Optional<DnsMessage> parsed = DnsMessage.parse(payload);
    if (parsed.isEmpty()) {
      if (payload.remaining() >= Integer.BYTES
          && (payload.getShort(payload.position() + 2) & DnsMessage.RESPONSE) == 0) {
        int id = Short.toUnsignedInt(payload.getShort(payload.position()));
        DnsMessage unread = new DnsMessage(id, 0, List.of(), List.of(), List.of(), List.of());
        reply(unread, client, DnsAnswer.error("malformed", DnsAnswer.FORMAT_ERROR), List.of());
      }
      return;
    }
    DnsMessage query = parsed.get();
    if ((query.flags() & DnsMessage.RESPONSE) != 0) {
      return; // two servers must not answer each other for ever
    }
    Optional<DnsAnswer> refusal = refusal(query);
    if (refusal.isPresent()) {
      reply(query, client, refusal.get(), List.of());
      return;
    }
    DnsQuestion question =
        new DnsQuestion(query.questions().get(0).name(), query.questions().get(0).type());
    List<DnsMessage.Resource> resources = new ArrayList<>();
    DnsAnswer answer = follow(question, resources);
    reply(query, client, answer, resources);
    queries.add(new DnsQuery(Instant.now(), client, question, answer));
  }

  /** What to say to a message that asks for no name. */
  private static Optional<DnsAnswer> refusal(DnsMessage query) {
    if ((query.flags() & DnsMessage.OPCODE) != 0) {
      return Optional.of(DnsAnswer.error("not implemented", DnsAnswer.NOT_IMPLEMENTED));
    }
    List<DnsMessage.Resource> opts = opts(query);
    if (query.questions().size() != 1 || opts.size() > 1) {
      return Optional.of(DnsAnswer.error("malformed", DnsAnswer.FORMAT_ERROR));
    }
    if (!opts.isEmpty() && (opts.get(0).ttl() >>> 16 & 0xff) != 0) {
      return Optional.of(DnsAnswer.error("unknown version", DnsAnswer.BAD_VERSION));
    }
    return query.questions().get(0).klass() == DnsMessage.IN
        ? Optional.empty()
        : Optional.of(DnsAnswer.refused());
  }

  private static List<DnsMessage.Resource> opts(DnsMessage query) {
    return query.additional().stream().filter(other -> other.type() == DnsMessage.OPT).toList();
  }

  /** Answers a question, and those that aliases lead to (RFC 1034 section 4.3.2). */
  private DnsAnswer follow(DnsQuestion question, List<DnsMessage.Resource> resources) {
    List<DnsRecord> all = new ArrayList<>();
    DnsQuestion next = question;
    while (true) {
      DnsAnswer answer = answer(next);
      for (DnsRecord record : answer.records()) {
        all.add(record);
        resources.add(
            new DnsMessage.Resource(
                next.name(),
                record.type(),
                DnsMessage.IN,
                Ints.saturatedCast(settings.ttl().toSeconds()),
                record.data()));
      }
      boolean alias =
          answer.records().size() == 1
              && answer.records().get(0).type() == DnsRecord.CNAME
              && question.type() != DnsRecord.CNAME
              && question.type() != DnsRecord.ANY;
      if (alias && all.size() < MAX_ALIASES) {
        String target = answer.records().get(0).target();
        if (settings.zone().contains(target)) {
          next = new DnsQuestion(target, question.type());
          continue;
        }
      }
      return all.size() == answer.records().size() ? answer : DnsAnswer.of(all);
    }
  }

  private DnsAnswer answer(DnsQuestion question) {
    for (var function : settings.functions()) {
      Optional<DnsAnswer> answer;
      try {
        answer = function.apply(question);
      } catch (RuntimeException e) {
        log.error("The function that was to answer {} failed", question, e);
        return DnsAnswer.serverFailure();
      }
      if (answer.isPresent()) {
        DnsAnswer given = answer.get();
        return given.records().isEmpty() ? given : DnsZone.only(question, given.records());
      }
    }
    return settings.zone().answer(question);
  }

  private void reply(
      DnsMessage query,
      InetSocketAddress client,
      DnsAnswer answer,
      List<DnsMessage.Resource> resources) {
    if (answer.code() < 0) {
      return;
    }
    List<DnsMessage.Resource> opts = opts(query);
    int taken = opts.size() == 1 ? opts.get(0).klass() : DnsMessage.LEAST_SIZE;
    int most = Math.min(Math.max(DnsMessage.LEAST_SIZE, taken), MOST_SIZE);
    // RFC 6891 section 6.1.3: the high bits of the code, and version 0.
    List<DnsMessage.Resource> additional =
        opts.size() == 1
            ? List.of(
                new DnsMessage.Resource(
                    "", DnsMessage.OPT, MOST_SIZE, answer.code() >>> 4 << 24, new byte[0]))
            : List.of();
    int flags =
        DnsMessage.RESPONSE
            | (query.flags() & (DnsMessage.OPCODE | DnsMessage.RECURSION_DESIRED))
            | DnsMessage.AUTHORITATIVE
            | DnsMessage.RECURSION_AVAILABLE
            | (answer.code() & 0xf);
    List<DnsMessage.Resource> authorities =
        answer.isNegative() && !query.questions().isEmpty()
            ? List.of(startOfAuthority(query.questions().get(0).name()))
            : List.of();
    Optional<ByteBuffer> whole =
        answer.isTruncated()
            ? Optional.empty()
            : new DnsMessage(
                    query.id(), flags, query.questions(), resources, authorities, additional)
                .encode(most);
    whole
        .or(
            () -> // RFC 2181 section 9
            new DnsMessage(
                        query.id(),
                        flags | DnsMessage.TRUNCATED,
                        query.questions(),
                        List.of(),
                        List.of(),
                        additional)
                    .encode(DnsMessage.LEAST_SIZE))
        .ifPresent(reply -> endpoint.send(reply, client));
  }

  /** RFC 2308 section 3: for how long others may remember that there is nothing. */
  private DnsMessage.Resource startOfAuthority(String name) {
    int ttl = Ints.saturatedCast(settings.ttl().toSeconds());
    ByteBuffer numbers = ByteBuffer.allocate(5 * Integer.BYTES);
    numbers.putInt(1).putInt(3600).putInt(600).putInt(86_400).putInt(ttl);
    byte[] nobody = {0};
    return new DnsMessage.Resource(
        settings.zone().zoneOf(name).orElse(""),
        DnsRecord.SOA,
        DnsMessage.IN,
        ttl,
        Bytes.concat(nobody, nobody, numbers.array()));
  }
}
