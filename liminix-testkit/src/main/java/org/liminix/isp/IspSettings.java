package org.liminix.isp;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.liminix.net.EventLoop;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.net.internal.Ipv4Prefix;
import org.liminix.net.internal.SharedStart;

/**
 * An immutable description of an ISP.
 *
 * @param accounts secrets by user
 * @param localAddress its own end of every session
 * @param poolFirst the first address for clients
 * @param poolLast the last one
 * @param worldAddress where hosts of the world network find it
 * @param authMethods in order of preference
 * @param maxPayload the longest packet for clients that can take it (RFC 4638)
 */
record IspSettings(
    Network access,
    Network world,
    Map<String, String> accounts,
    int localAddress,
    int poolFirst,
    int poolLast,
    Ipv4Prefix worldAddress,
    List<Integer> dns,
    List<AuthMethod> authMethods,
    String acName,
    String serviceName,
    Duration echoInterval,
    int echoLimit,
    int maxPayload)
    implements Spec<BorderNetworkGateway> {

  @Override
  public BorderNetworkGateway start(Segments segments) {
    return start(segments, () -> {});
  }

  @Override
  public BorderNetworkGateway start() {
    return SharedStart.of(this::start);
  }

  private BorderNetworkGateway start(Segments segments, Runnable onClose) {
    EventLoop loop = segments.loop();
    var accessSegment = segments.get(access);
    var worldSegment = segments.get(world);
    return loop.compute(() -> new BorderNetworkGateway(this, accessSegment, worldSegment, onClose));
  }
}
