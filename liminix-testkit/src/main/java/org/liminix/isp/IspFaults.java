package org.liminix.isp;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link BorderNetworkGateway} does wrong on purpose, to see how a router bears it.
 *
 * <pre>{@code
 * isp.misbehave(IspFaults.none().silent(IspFaults.Stage.PADI));
 * isp.misbehave(IspFaults.none().delay(IspFaults.Stage.PADR, Duration.ofSeconds(4)).blackHole(1400));
 * isp.misbehave(IspFaults.none());
 * }</pre>
 *
 * <p>Bad lines are the business of {@link org.liminix.net.Impairment}. An immutable value, of which
 * each method returns a changed copy.
 */
public final class IspFaults {
  /** What a client wants of the ISP, step by step. */
  public enum Stage {
    /** An offer (RFC 2516). */
    PADI,
    /** A session (RFC 2516). */
    PADR,
    /** Agreement on the link (RFC 1661), echoes apart. */
    LCP,
    /** To be believed: PAP and CHAP. */
    AUTHENTICATION,
    /** Agreement on what runs on the link: IPCP and its like. */
    NETWORK,
    /** A sign of life: an LCP Echo-Reply (RFC 1661). */
    ECHO;

    /** The stage a packet belongs to; empty for data. */
    static Optional<Stage> of(int protocol, ByteBuffer packet) {
      if (protocol == Ppp.LCP) {
        return switch (packet.hasRemaining() ? Ppp.code(packet) : 0) {
          case Lcp.ECHO_REQUEST -> Optional.of(ECHO);
          case Lcp.ECHO_REPLY -> Optional.empty();
          default -> Optional.of(LCP);
        };
      }
      // RFC 1661 section 2: protocols that configure networks, and those about the link.
      return switch (protocol >> 14) {
        case 2 -> Optional.of(NETWORK);
        case 3 -> Optional.of(AUTHENTICATION);
        default -> Optional.empty();
      };
    }
  }

  /** With what error a session is refused (RFC 2516 appendix A). */
  public enum Refusal {
    /** Service-Name-Error: "such a service is not sold here". */
    SERVICE_NAME(Pppoe.SERVICE_NAME_ERROR),
    /** AC-System-Error: "there are no resources for another session". */
    AC_SYSTEM(Pppoe.AC_SYSTEM_ERROR),
    /** Generic-Error: anything else. */
    GENERIC(Pppoe.GENERIC_ERROR);

    private final int tag;

    Refusal(int tag) {
      this.tag = tag;
    }

    Pppoe.Tag tag(String message) {
      return Pppoe.Tag.of(tag, message);
    }
  }

  private static final IspFaults NONE = new IspFaults(new Settings());

  final Settings settings;

  private IspFaults(Settings settings) {
    this.settings = settings;
  }

  /** What goes wrong; a copy is changed before anybody else sees it. */
  static final class Settings {
    final Set<Stage> silent = EnumSet.noneOf(Stage.class);
    final Map<Stage, Duration> delays = new EnumMap<>(Stage.class);
    @Nullable String service;
    Pppoe.@Nullable Tag refusal;
    boolean refuseAuthentication;
    boolean noAddresses;
    int longest = Integer.MAX_VALUE;
    @Nullable Duration hangUp;
    @Nullable Duration up;
    @Nullable Duration down;

    private Settings copy() {
      Settings copy = new Settings();
      copy.silent.addAll(silent);
      copy.delays.putAll(delays);
      copy.service = service;
      copy.refusal = refusal;
      copy.refuseAuthentication = refuseAuthentication;
      copy.noAddresses = noAddresses;
      copy.longest = longest;
      copy.hangUp = hangUp;
      copy.up = up;
      copy.down = down;
      return copy;
    }
  }

  private interface Change {
    void to(Settings settings);
  }

  private IspFaults with(Change change) {
    Settings changed = settings.copy();
    change.to(changed);
    return new IspFaults(changed);
  }

  private static void refuse(boolean badValue, String message) {
    if (badValue) {
      throw new IllegalArgumentException("IspFaults: " + message);
    }
  }

  private static Duration positive(String name, Duration time) {
    refuse(time.isNegative() || time.isZero(), name + "(" + time + "): a time is positive");
    return time;
  }

  /** An ISP that does nothing wrong. */
  public static IspFaults none() {
    return NONE;
  }

  /**
   * Says nothing at this stage, and hears nothing: a concentrator that is dead, or whose RADIUS
   * server is. At {@link Stage#ECHO} its own requests go on.
   */
  public IspFaults silent(Stage stage) {
    return with(settings -> settings.silent.add(stage));
  }

  /** Takes so long over each packet of the client at this stage. */
  public IspFaults delay(Stage stage, Duration time) {
    Duration checked = positive("delay", time);
    return with(settings -> settings.delays.put(stage, checked));
  }

  /** Offers this service and no other, whatever a client asks for. */
  public IspFaults offerOnly(String service) {
    return with(settings -> settings.service = service);
  }

  /** Refuses every session that is requested (PADR) with this error. */
  public IspFaults refuseSessions(Refusal with, String message) {
    Pppoe.Tag tag = with.tag(message);
    return with(settings -> settings.refusal = tag);
  }

  /** Believes nobody, whatever the secret. */
  public IspFaults refuseAuthentication() {
    return with(settings -> settings.refuseAuthentication = true);
  }

  /** Has no address for a client that does not have one yet. */
  public IspFaults noAddresses() {
    return with(settings -> settings.noAddresses = true);
  }

  /** Loses IP packets of more than so many bytes, both ways, without an ICMP message. */
  public IspFaults blackHole(int longest) {
    refuse(longest < 0, "blackHole(" + longest + "): the longest packet that passes, as 1400");
    return with(settings -> settings.longest = longest);
  }

  /**
   * Ends each session with a PADT when packets have flowed for so long; those that are open when
   * this is set, so long after that.
   */
  public IspFaults hangUp(Duration after) {
    Duration checked = positive("hangUp", after);
    return with(settings -> settings.hangUp = checked);
  }

  /**
   * A line that is good for a time, then carries nothing for a time, and so on. What sessions make
   * of it is up to both sides' LCP echoes.
   */
  public IspFaults flapping(Duration up, Duration down) {
    Duration checkedUp = positive("flapping", up);
    Duration checkedDown = positive("flapping", down);
    return with(
        settings -> {
          settings.up = checkedUp;
          settings.down = checkedDown;
        });
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("IspFaults[");
    settings.silent.forEach(stage -> add(text, true, "silent at " + stage));
    settings.delays.forEach((stage, time) -> add(text, true, stage + " after " + time));
    add(text, settings.service != null, "offers only \"" + settings.service + "\"");
    add(text, settings.refusal != null, "refuses sessions");
    add(text, settings.refuseAuthentication, "refuses authentication");
    add(text, settings.noAddresses, "no addresses");
    add(text, settings.longest < Integer.MAX_VALUE, "black hole over " + settings.longest);
    add(text, settings.hangUp != null, "hangs up after " + settings.hangUp);
    add(text, settings.up != null, "up " + settings.up + " down " + settings.down);
    return text.append(']').toString();
  }

  private static void add(StringBuilder text, boolean wanted, String part) {
    if (wanted) {
      text.append(text.charAt(text.length() - 1) == '[' ? "" : ", ").append(part);
    }
  }
}
