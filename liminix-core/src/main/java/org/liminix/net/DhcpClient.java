package org.liminix.net;

import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.DhcpMessage;
import org.liminix.net.internal.Futures;
import org.liminix.net.internal.Ipv4;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The DHCP client (RFC 2131) of an in-process host. One exchange at a time: a message is repeated
 * until its answer comes. Confined to the loop.
 */
final class DhcpClient {
  private static final Logger log = LoggerFactory.getLogger(DhcpClient.class);

  /**
   * RFC 2131 section 4.1 would begin with four seconds for the sake of slow networks; here the
   * server is at the other end of a memory copy, and may just be booting.
   */
  private static final Duration FIRST_PATIENCE = Duration.ofMillis(250);

  private static final Duration LONGEST_PATIENCE = Duration.ofSeconds(4);

  /** A server that offered and does not answer is asked this often before the search resumes. */
  private static final int REQUESTS_PER_OFFER = 5;

  private static final Duration FOREVER = Duration.ofSeconds(0xffff_ffffL);

  private static final byte[] PARAMETERS = {
    DhcpMessage.SUBNET_MASK, DhcpMessage.ROUTER, DhcpMessage.DNS, DhcpMessage.LEASE_TIME
  };

  private static final InetSocketAddress EVERYBODY =
      new InetSocketAddress(Ipv4.toInet(Ipv4.BROADCAST), DhcpMessage.SERVER_PORT);

  private final EventLoop loop;
  private final MacAddress mac;
  private final String hostName;
  private final DatagramEndpoint endpoint;
  private final Consumer<Optional<DhcpLease>> configure;
  private @Nullable Exchange<?> current;
  private @Nullable CompletableFuture<DhcpLease> searching;
  private EventLoop.@Nullable Timer renewal;

  /**
   * @param configure told of every lease, and of nothing when a lease has ended
   */
  DhcpClient(
      EventLoop loop,
      UdpPorts udp,
      MacAddress mac,
      String hostName,
      Consumer<Optional<DhcpLease>> configure) {
    this.loop = loop;
    this.mac = mac;
    this.hostName = hostName;
    this.configure = configure;
    this.endpoint = udp.bind(DhcpMessage.CLIENT_PORT, this::received);
  }

  /** Looks for a server until one makes an offer. */
  CompletableFuture<DhcpOffer> discover() {
    return exchange(
        new Exchange<>(
            0,
            options(DhcpMessage.DISCOVER),
            EVERYBODY,
            Integer.MAX_VALUE,
            DhcpMessage.OFFER,
            DhcpClient::terms));
  }

  /** Asks for what was offered and, when it is granted, uses it. */
  CompletableFuture<DhcpLease> request(DhcpOffer offer) {
    Map<Integer, byte[]> options = options(DhcpMessage.REQUEST);
    options.put(DhcpMessage.REQUESTED_ADDRESS, offer.address().getAddress());
    options.put(DhcpMessage.SERVER_ID, offer.serverId().getAddress());
    return exchange(
        new Exchange<>(0, options, EVERYBODY, REQUESTS_PER_OFFER, DhcpMessage.ACK, this::granted));
  }

  /** Gets a lease in the background, unless somebody takes the steps by hand. */
  void keepLeased() {
    Futures.whenDone(lease(), (lease, failure) -> log.debug("{} has {}", hostName, lease, failure));
  }

  /** Does both until it succeeds, whatever servers come and go. */
  CompletableFuture<DhcpLease> lease() {
    CompletableFuture<DhcpLease> result = new CompletableFuture<>();
    searching = result;
    Futures.whenDone(
        result,
        (lease, failure) -> {
          if (result.isCancelled() && searching == result && current != null) {
            current.end();
          }
        });
    search(result);
    return result;
  }

  private void search(CompletableFuture<DhcpLease> result) {
    Futures.whenDone(
        discover(),
        (offer, failure) -> {
          if (offer == null) {
            settle(result, null, failure);
          } else {
            Futures.whenDone(request(offer), (lease, refusal) -> settle(result, lease, refusal));
          }
        });
  }

  private void settle(
      CompletableFuture<DhcpLease> result, @Nullable DhcpLease lease, @Nullable Throwable failure) {
    if (lease != null) {
      result.complete(lease);
    } else if (failure instanceof SupersededException) {
      result.completeExceptionally(failure);
    } else if (!result.isDone()) {
      log.debug("{} starts again", hostName, failure);
      search(result);
    }
  }

  private Map<Integer, byte[]> options(int type) {
    Map<Integer, byte[]> options = new TreeMap<>();
    options.put(DhcpMessage.MESSAGE_TYPE, new byte[] {(byte) type});
    options.put(DhcpMessage.PARAMETERS, PARAMETERS);
    ByteBuffer clientId = ByteBuffer.allocate(1 + MacAddress.LENGTH).put((byte) 1);
    mac.write(clientId);
    options.put(DhcpMessage.CLIENT_ID, clientId.array());
    options.put(DhcpMessage.HOST_NAME, hostName.getBytes(StandardCharsets.UTF_8));
    return options;
  }

  private <T> CompletableFuture<T> exchange(Exchange<T> exchange) {
    if (current != null) {
      current.fail(new SupersededException(hostName));
    }
    current = exchange;
    Futures.whenDone(exchange.result, (value, failure) -> exchange.end());
    exchange.send();
    return exchange.result;
  }

  private void received(
      ByteBuffer payload, InetSocketAddress source, DatagramEndpoint destination) {
    Exchange<?> exchange = current;
    DhcpMessage answer = DhcpMessage.parse(payload).orElse(null);
    if (exchange == null
        || answer == null
        || answer.request()
        || answer.transaction() != exchange.message.transaction()
        || answer.hardwareAddress() != mac.toLong()) {
      return;
    }
    if (answer.type() == exchange.expected && hasServer(answer)) {
      exchange.complete(answer);
    } else if (answer.type() == DhcpMessage.NAK) {
      exchange.fail(new RefusedException(hostName, source, answer));
    }
  }

  private static boolean hasServer(DhcpMessage answer) {
    return answer.yourAddress() != 0 && answer.addresses(DhcpMessage.SERVER_ID).size() == 1;
  }

  private static DhcpOffer terms(DhcpMessage answer) {
    List<Integer> mask = answer.addresses(DhcpMessage.SUBNET_MASK);
    return new DhcpOffer(
        Ipv4.toInet(answer.yourAddress()),
        mask.isEmpty() ? 32 : Integer.bitCount(mask.get(0)),
        answer.addresses(DhcpMessage.ROUTER).stream().findFirst().map(Ipv4::toInet),
        Ipv4.toInet(answer.addresses(DhcpMessage.SERVER_ID).get(0)),
        answer.addresses(DhcpMessage.DNS).stream().map(Ipv4::toInet).toList(),
        answer.seconds(DhcpMessage.LEASE_TIME).map(Duration::ofSeconds).orElse(FOREVER));
  }

  private DhcpLease granted(DhcpMessage answer) {
    DhcpLease lease = new DhcpLease(terms(answer));
    configure.accept(Optional.of(lease));
    // RFC 2131 section 4.4.5: T1 is half of the lease.
    planRenewal(lease, lease.leaseTime().dividedBy(2), lease.leaseTime());
    return lease;
  }

  private void planRenewal(DhcpLease lease, Duration delay, Duration left) {
    if (renewal != null) {
      renewal.cancel();
    }
    renewal = loop.schedule(delay, () -> renew(lease, left.minus(delay)));
  }

  private void renew(DhcpLease lease, Duration left) {
    if (left.compareTo(Duration.ofSeconds(1)) < 0) {
      lost();
      return;
    }
    planRenewal(lease, left.dividedBy(2), left);
    // T2 is seven eighths: from then on any server may extend the lease.
    boolean rebinding = left.compareTo(lease.leaseTime().dividedBy(8)) <= 0;
    InetSocketAddress server = new InetSocketAddress(lease.serverId(), DhcpMessage.SERVER_PORT);
    Inet4Address address = lease.address();
    Futures.whenDone(
        exchange(
            new Exchange<>(
                Ipv4.toInt(address),
                options(DhcpMessage.REQUEST),
                rebinding ? EVERYBODY : server,
                1,
                DhcpMessage.ACK,
                this::granted)),
        (renewed, failure) -> {
          if (failure instanceof RefusedException) {
            lost();
          } else if (failure != null) {
            log.debug("{} could not renew {}", hostName, address, failure);
          }
        });
  }

  private void lost() {
    if (renewal != null) {
      renewal.cancel();
    }
    configure.accept(Optional.empty());
    keepLeased();
  }

  void close() {
    if (current != null) {
      current.end();
    }
    if (renewal != null) {
      renewal.cancel();
    }
    endpoint.close();
  }

  /** A message that is repeated, less and less often, until its answer comes. */
  private final class Exchange<T> {
    private final DhcpMessage message;
    private final InetSocketAddress to;
    private final int attempts;
    private final int expected;
    private final Function<DhcpMessage, T> meaning;
    private final CompletableFuture<T> result = new CompletableFuture<>();
    private Duration patience = FIRST_PATIENCE;
    private int sent;
    private EventLoop.@Nullable Timer timer;

    Exchange(
        int clientAddress,
        Map<Integer, byte[]> options,
        InetSocketAddress to,
        int attempts,
        int expected,
        Function<DhcpMessage, T> meaning) {
      int transaction = ThreadLocalRandom.current().nextInt();
      this.message = new DhcpMessage(true, transaction, clientAddress, 0, mac.toLong(), options);
      this.to = to;
      this.attempts = attempts;
      this.expected = expected;
      this.meaning = meaning;
    }

    void send() {
      if (sent == attempts) {
        fail(new NetworkException("The DHCP server does not answer " + sent + " requests"));
        return;
      }
      sent++;
      endpoint.send(message.encode(), to);
      timer = loop.schedule(patience, this::send);
      Duration longer = patience.multipliedBy(2);
      patience = longer.compareTo(LONGEST_PATIENCE) < 0 ? longer : LONGEST_PATIENCE;
    }

    void complete(DhcpMessage answer) {
      end();
      result.complete(meaning.apply(answer));
    }

    void fail(NetworkException failure) {
      end();
      result.completeExceptionally(failure);
    }

    void end() {
      if (timer != null) {
        timer.cancel();
      }
      if (current == this) {
        current = null;
      }
    }
  }

  /** A later exchange took the place of this one. */
  private static final class SupersededException extends NetworkException {
    private static final long serialVersionUID = 1L;

    SupersededException(String hostName) {
      super("Another DHCP exchange of " + hostName + " began before this one ended");
    }
  }

  /** The server said DHCPNAK. */
  private static final class RefusedException extends NetworkException {
    private static final long serialVersionUID = 1L;

    RefusedException(String hostName, InetSocketAddress server, DhcpMessage answer) {
      super(
          "The DHCP server at %s refuses the address %s asked for: %s"
              .formatted(
                  server.getAddress().getHostAddress(),
                  hostName,
                  answer.text(DhcpMessage.MESSAGE).orElse("it gives no reason")));
    }
  }
}
