package org.liminix.isp;

import java.io.IOException;
import java.net.Inet4Address;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;
import org.liminix.net.MacAddress;
import org.liminix.net.Network;
import org.liminix.net.Segment;
import org.liminix.net.internal.EthernetCard;
import org.liminix.net.internal.EventLog;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Ipv6;
import org.liminix.net.internal.Ipv6Prefix;

/**
 * The ISP of a router under test, in this JVM: an access concentrator that speaks PPPoE (RFC 2516,
 * RFC 4638), PPP (RFC 1661), PAP (RFC 1334), CHAP (RFC 1994), MS-CHAP version 2 (RFC 2759), IPCP
 * with name servers (RFC 1332, RFC 1877), IPV6CP (RFC 5072), router advertisements (RFC 4861) and
 * DHCPv6 with prefix delegation (RFC 8415) on {@link Network#ACCESS}, and routes IPv4 and IPv6 to
 * {@link Network#WORLD}.
 *
 * <pre>{@code
 * try (BorderNetworkGateway isp = BorderNetworkGateway.likeLiminix().start(segments);
 *     EthernetHost server =
 *         EthernetHost.on(WORLD).address("10.0.2.2/24").gateway("10.0.2.1").start(segments)) {
 *   PppSession session = isp.awaitSession(Duration.ofSeconds(30));
 *   assertThat(session.address()).hasToString("/192.168.100.10");
 *   session.drop();
 * }
 * }</pre>
 *
 * <p>Thread-safe; methods that wait honour interrupts and throw {@link
 * org.liminix.process.WaitTimeoutException}. Whoever started it closes it.
 */
public final class BorderNetworkGateway implements Isp {
  private static final int SUMMARY_EVENTS = 6;
  private static final Account NOBODY = Account.of("nobody", "");

  private final EventLoop loop;
  private final Runnable onClose;
  private final AccessConcentrator concentrator;
  private final EthernetCard worldCard;
  private final WorldRouter router;
  private final Optional<Ipv6Router> ipv6;
  private final Optional<Dhcpv6Server> dhcpv6;
  private final Misbehaviour misbehaviour;
  private final Set<PppSession> sessions = ConcurrentHashMap.newKeySet();
  private final EventLog<IspEvent> events = new EventLog<>();
  private final IspSettings settings;
  private final String name;

  /** On the loop. */
  BorderNetworkGateway(IspSettings settings, Segment access, Segment world, Runnable onClose) {
    this.loop = access.loop();
    this.onClose = onClose;
    this.settings = settings;
    this.name = settings.acName();
    AddressPool pool =
        new AddressPool(
            settings.poolFirst(),
            settings.poolLast(),
            settings.fixedAddresses(),
            settings.freshAddresses());
    this.misbehaviour = new Misbehaviour(loop, settings.faults());
    Links links = new Links(settings, pool);
    this.worldCard = new EthernetCard(world, settings.acName(), MacAddress.random());
    this.router = new WorldRouter(worldCard, settings, pool, links);
    if (settings.ipv6().isPresent()) {
      Ipv6Service.Terms terms = settings.ipv6().get().terms;
      this.ipv6 = Optional.of(new Ipv6Router(loop, worldCard, terms, links));
      this.dhcpv6 =
          Optional.of(new Dhcpv6Server(worldCard.mac(), terms.dns, terms.preferred, terms.valid));
    } else {
      this.ipv6 = Optional.empty();
      this.dhcpv6 = Optional.empty();
    }
    this.concentrator = new AccessConcentrator(access, settings, links, misbehaviour);
  }

  /** Begins the description of an ISP with one account; more may follow. */
  public static BorderNetworkGatewayBuilder account(String user, String secret) {
    return new BorderNetworkGatewayBuilder().account(user, secret);
  }

  /** Begins the description of an ISP with one account; more may follow. */
  public static BorderNetworkGatewayBuilder account(Account account) {
    return new BorderNetworkGatewayBuilder().account(account);
  }

  /** An ISP with the account that the tests of Liminix dial. */
  public static BorderNetworkGatewayBuilder likeLiminix() {
    return account("db123@a.1", "NotReallyTheSecret");
  }

  @Override
  public String kind() {
    return "BorderNetworkGateway";
  }

  @Override
  public Map<String, String> accounts() {
    return settings.secrets();
  }

  @Override
  public Inet4Address localAddress() {
    return Ipv4.toInet(settings.localAddress());
  }

  @Override
  public Inet4Address worldAddress() {
    return Ipv4.toInet(settings.worldAddress().address());
  }

  @Override
  public List<PppSession> sessions() {
    return sessions.stream().sorted(Comparator.comparingInt(PppSession::id)).toList();
  }

  /** Does these things wrong from now on, in place of those before. */
  public void misbehave(IspFaults faults) {
    loop.call(
        () -> {
          misbehaviour.change(faults);
          misbehaviour.planHangUp(concentrator.links().stream().filter(PppLink::isOpen).toList());
        });
  }

  @Override
  public PppSession awaitSession(Duration timeout) {
    return awaitSession(session -> true, timeout, "PPP session opened at " + name);
  }

  /** Waits until packets flow in some session of a user, and returns one in which they do. */
  public PppSession awaitSession(String user, Duration timeout) {
    return awaitSession(
        session -> session.user().equals(user),
        timeout,
        "PPP session of " + user + " opened at " + name);
  }

  private PppSession awaitSession(Predicate<PppSession> wanted, Duration timeout, String what) {
    // Its opening may have left the list of events, which is finite.
    Optional<PppSession> open = sessions().stream().filter(wanted).findFirst();
    if (open.isPresent()) {
      return open.get();
    }
    IspEvent event =
        events.await(
            e ->
                e instanceof IspEvent.SessionOpened opened
                    && sessions.contains(opened.session())
                    && wanted.test(opened.session()),
            timeout,
            what);
    return ((IspEvent.SessionOpened) event).session();
  }

  /** What has happened so far, oldest first; a very long history loses its beginning. */
  public List<IspEvent> events() {
    return events.all();
  }

  /** The first event that matches, of those that have happened and those that will. */
  public IspEvent awaitEvent(Predicate<? super IspEvent> predicate, Duration timeout) {
    return events.await(predicate, timeout, "such event at " + name);
  }

  /**
   * The first event of a kind, of those that have happened and those that will.
   *
   * <pre>{@code
   * assertThat(isp.awaitEvent(IspEvent.AuthenticationFailed.class, timeout).user()).isEqualTo("eve");
   * }</pre>
   */
  public <E extends IspEvent> E awaitEvent(Class<E> kind, Duration timeout) {
    return kind.cast(events.await(kind::isInstance, timeout, kind.getSimpleName() + " at " + name));
  }

  /** Its sessions and what happened last. */
  @Override
  public String summary() {
    List<IspEvent> all = events();
    IspFaults faults = misbehaviour.faults();
    return this
        + (faults.equals(IspFaults.none()) ? "" : " misbehaves: " + faults)
        + "\n"
        + lines(all.subList(Math.max(0, all.size() - SUMMARY_EVENTS), all.size()))
            .indent(4)
            .stripTrailing();
  }

  /** Writes its events to {@code NAME-events.log}. */
  @Override
  public void saveTo(Path directory) throws IOException {
    Files.writeString(
        directory.resolve(name.replaceAll("[^\\w.-]+", "-") + "-events.log"), lines(events()));
  }

  private static String lines(List<IspEvent> events) {
    return events.stream().map(event -> event + "\n").collect(Collectors.joining());
  }

  /** Ends every session with a PADT and leaves the networks. Idempotent. */
  @Override
  public void close() {
    try {
      loop.call(
          () -> {
            misbehaviour.close();
            concentrator.links().forEach(PppLink::drop);
            concentrator.close();
            ipv6.ifPresent(Ipv6Router::close);
            worldCard.close();
          });
    } catch (RejectedExecutionException e) {
      return; // its segments, and everything on their loop, ended before
    }
    onClose.run();
  }

  @Override
  public String toString() {
    return "BorderNetworkGateway[" + name + " " + sessions() + "]";
  }

  /** What all links share. Confined to the loop. */
  private final class Links
      implements PppLink.Owner, AccessConcentrator.LinkFactory, WorldRouter.Sessions {
    private final IspSettings settings;
    private final AddressPool pool;

    Links(IspSettings settings, AddressPool pool) {
      this.settings = settings;
      this.pool = pool;
    }

    @Override
    public PppLink create(int sessionId, MacAddress peer, int maxMru) {
      return new PppLink(sessionId, peer, maxMru, loop, settings, this);
    }

    @Override
    public void send(PppLink link, int protocol, ByteBuffer packet) {
      concentrator.send(link, protocol, packet);
    }

    @Override
    public @Nullable String secretOf(String user) {
      Account account = settings.accounts().get(user);
      return account == null ? null : account.secret();
    }

    @Override
    public Account.Terms terms(String user) {
      return settings.accounts().getOrDefault(user, NOBODY).terms;
    }

    @Override
    public Optional<Refusal> refusalOf(String user) {
      if (misbehaviour.refusesAuthentication()) {
        return Optional.of(Refusal.authentication("the ISP refuses everybody: a fault"));
      }
      int limit = terms(user).limit;
      return limit < Integer.MAX_VALUE && countSessions(user) >= limit
          ? Optional.of(
              new Refusal(IspEvent.Reason.LIMIT, "Too many sessions of " + user + ": " + limit))
          : Optional.empty();
    }

    private long countSessions(String user) {
      return concentrator.links().stream().filter(link -> link.user().equals(user)).count();
    }

    @Override
    public @Nullable Integer allocateAddress(String user) {
      if (misbehaviour.hasNoAddresses()) {
        return null;
      }
      Integer fixed = terms(user).address;
      return fixed != null && pool.take(fixed) ? fixed : pool.allocate();
    }

    @Override
    public @Nullable Ipv6Line ipv6(PppLink link, Ppp.Link way) {
      if (ipv6.isEmpty() || dhcpv6.isEmpty() || link.mtu() < Ipv6.MIN_MTU) {
        return null;
      }
      Ipv6Prefix network = ipv6.get().allocate();
      return network == null
          ? null
          : new Ipv6Line(loop, link, way, link, ipv6.get(), dhcpv6.get(), network);
    }

    @Override
    public boolean takeAddress(int address) {
      return !router.isOwn(address) && pool.take(address);
    }

    @Override
    public void releaseAddress(int address) {
      pool.release(address);
    }

    @Override
    public void opened(PppLink link, PppSession session) {
      Integer address = link.address();
      if (address != null) {
        router.add(address, link);
      }
      sessions.add(session);
      misbehaviour.planHangUp(List.of(link));
    }

    @Override
    public void closed(PppLink link, PppSession session) {
      sessions.remove(session);
      Integer address = link.address();
      if (address != null) {
        router.remove(address, link);
      }
    }

    @Override
    public void ended(PppLink link, boolean tellClient) {
      Integer address = link.address();
      if (address != null) {
        pool.release(address);
      }
      concentrator.ended(link, tellClient);
    }

    @Override
    public void forward(PppLink link, ByteBuffer packet) {
      Ipv6Line line = link.ipv6();
      if (misbehaviour.swallows(packet)) {
        return;
      }
      if (Ppp.protocolOf(packet) == Ppp.IPV4) {
        router.receivedFrom(link, packet);
      } else if (line != null) {
        ipv6.ifPresent(world -> world.receivedFrom(link, line, packet));
      }
    }

    @Override
    public void deliver(PppLink link, ByteBuffer packet) {
      link.deliver(packet);
    }

    @Override
    public boolean swallows(ByteBuffer packet) {
      return misbehaviour.swallows(packet);
    }

    @Override
    public void record(IspEvent event) {
      events.add(event);
    }
  }
}
