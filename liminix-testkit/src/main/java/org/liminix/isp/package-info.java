/** The ISP behind a router under test: an access concentrator and the way to the world. */
package org.liminix.isp;
