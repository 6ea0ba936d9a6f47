// SPDX-License-Identifier: GPL-2.0-or-later
/* Domains of libvirt, here or on another host. */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libvirt/libvirt.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>

#include "host.h"
#include "util.h"

#define SIZE_EVENT	VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE
#define ON_SIZE		VIR_DOMAIN_EVENT_CALLBACK(on_size)
#define MEMORY		"/domain/devices/memory[@model='virtio-mem']"
/* A daemon that does not answer within these is gone. */
#define ALIVE_SECONDS	5
#define ALIVE_MISSES	3

/**
 * struct virt - a connection to libvirt
 * @host: what all sources of devices have
 * @conn: libvirt's own
 * @loop: the thread that runs libvirt's events: only there is a daemon that
 *	does not answer noticed, while the main thread waits for its answer
 * @timer: ends a round of the loop
 * @quit: the loop shall end
 * @event: registration for changed sizes
 * @lock: of @woken
 * @cond: signalled when @woken is set
 * @woken: something may have changed
 */
struct virt {
	struct host host;
	virConnectPtr conn;
	pthread_t loop;
	int timer;
	atomic_bool quit;
	int event;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool woken;
};

static struct virt *virt_of(struct host *host)
{
	return (struct virt *)host;
}

static int fail(struct virt *v)
{
	host_fail(&v->host, "%s", virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ?
		  "the domain has ended" : virGetLastErrorMessage());
	/* Asked last, because asking forgets the error. */
	v->host.lost |= virConnectIsAlive(v->conn) == 0;
	return -1;
}

/* --- XML --- */

static uint64_t unit_factor(const char *unit)
{
	static const struct {
		const char *name;
		uint64_t factor;
	} units[] = {
		{ "b", 1 }, { "bytes", 1 },
		{ "KiB", 1ULL << 10 }, { "MiB", 1ULL << 20 },
		{ "GiB", 1ULL << 30 }, { "TiB", 1ULL << 40 },
	};

	for (size_t i = 0; unit && i < sizeof(units) / sizeof(*units); i++) {
		if (!strcmp(unit, units[i].name))
			return units[i].factor;
	}
	return 1ULL << 10;	/* libvirt's default */
}

static xmlNodePtr child(xmlNodePtr node, const char *name)
{
	for (node = node ? node->children : NULL; node; node = node->next) {
		if (!xmlStrcmp(node->name, BAD_CAST name))
			return node;
	}
	return NULL;
}

static char *attribute(xmlNodePtr node, const char *name)
{
	return node ? (char *)xmlGetProp(node, BAD_CAST name) : NULL;
}

/* A number in an element, in bytes where it has a unit; or what to assume. */
static uint64_t number(xmlNodePtr node, bool size, uint64_t otherwise)
{
	char *text = node ? (char *)xmlNodeGetContent(node) : NULL;
	char *unit = attribute(node, "unit");
	uint64_t value = otherwise;

	if (text)
		value = strtoull(text, NULL, 10) * (size ? unit_factor(unit) : 1);
	xmlFree(text);
	xmlFree(unit);
	return value;
}

static void add_device(xmlNodePtr memory, const char *domain, const char *uuid,
		       struct devices *to)
{
	xmlNodePtr target = child(memory, "target");
	char *alias = attribute(child(memory, "alias"), "name");
	char *base = attribute(child(target, "address"), "base");
	struct device *dev;

	dev = devices_add(to, domain, uuid, alias ? alias : "");
	dev->node = number(child(target, "node"), false, -1);
	dev->region = number(child(target, "size"), true, 0);
	dev->block = number(child(target, "block"), true, 0);
	dev->requested = number(child(target, "requested"), true, 0);
	dev->plugged = number(child(target, "current"), true, 0);
	dev->addr = base ? strtoull(base, NULL, 0) : 0;
	xmlFree(alias);
	xmlFree(base);
}

/* The memory elements of a domain; the document is to be freed with the path. */
static xmlXPathObjectPtr memories(struct virt *v, virDomainPtr dom,
				  xmlDocPtr *doc)
{
	char *xml = virDomainGetXMLDesc(dom, 0);
	xmlXPathContextPtr context;
	xmlXPathObjectPtr found = NULL;

	*doc = NULL;
	if (!xml) {
		fail(v);
		return NULL;
	}
	*doc = xmlReadMemory(xml, strlen(xml), "domain.xml", NULL,
			     XML_PARSE_NONET | XML_PARSE_NOERROR);
	free(xml);
	context = *doc ? xmlXPathNewContext(*doc) : NULL;
	if (context)
		found = xmlXPathEval(BAD_CAST MEMORY, context);
	xmlXPathFreeContext(context);
	if (!found)
		host_fail(&v->host, "can't read what libvirt says of a domain");
	return found;
}

/* --- domains --- */

static int list_domain(struct virt *v, virDomainPtr dom, struct devices *to)
{
	char uuid[VIR_UUID_STRING_BUFLEN] = "";
	xmlXPathObjectPtr found;
	xmlDocPtr doc;

	virDomainGetUUIDString(dom, uuid);
	found = memories(v, dom, &doc);
	if (found) {
		for (int i = 0; i < xmlXPathNodeSetGetLength(found->nodesetval);
		     i++)
			add_device(found->nodesetval->nodeTab[i],
				   virDomainGetName(dom), uuid, to);
	}
	xmlXPathFreeObject(found);
	xmlFreeDoc(doc);
	return found ? 0 : -1;
}

static virDomainPtr lookup(struct virt *v, const char *name)
{
	virDomainPtr dom = virDomainLookupByName(v->conn, name);
	char *end;
	long id;
	int code;

	if (!dom)
		dom = virDomainLookupByUUIDString(v->conn, name);
	id = strtol(name, &end, 10);
	if (!dom && !*end && end != name && id >= 0 && id < INT32_MAX)
		dom = virDomainLookupByID(v->conn, id);
	if (dom)
		return dom;
	code = virGetLastErrorCode();
	fail(v);
	if (v->host.lost)
		host_fail(&v->host, "libvirt has hung up");
	else if (code == VIR_ERR_NO_DOMAIN || code == VIR_ERR_INVALID_ARG)
		host_fail(&v->host, "no domain %s here", name);
	return NULL;
}

static int list_one(struct virt *v, const char *name, struct devices *to)
{
	virDomainPtr dom = lookup(v, name);
	int ret = -1;

	if (!dom)
		return -1;
	switch (virDomainIsActive(dom)) {
	case 1:
		ret = list_domain(v, dom, to);
		break;
	case 0:
		host_fail(&v->host, "domain %s is not running", name);
		break;
	default:
		fail(v);
	}
	virDomainFree(dom);
	return ret;
}

static int virt_list(struct host *host, const char *domain, struct devices *to)
{
	struct virt *v = virt_of(host);
	virDomainPtr *doms;
	int nr, ret = 0;

	if (domain)
		return list_one(v, domain, to);
	nr = virConnectListAllDomains(v->conn, &doms,
				      VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	if (nr < 0)
		return fail(v);
	for (int i = 0; i < nr; i++) {
		/* One that has just ended is no error. */
		if (!ret && list_domain(v, doms[i], to) &&
		    virDomainIsActive(doms[i]) != 0)
			ret = -1;
		virDomainFree(doms[i]);
	}
	free(doms);
	return ret;
}

/* --- requests --- */

static char *changed_xml(xmlDocPtr doc, xmlXPathObjectPtr found,
			 const char *id, uint64_t size)
{
	for (int i = 0; i < xmlXPathNodeSetGetLength(found->nodesetval); i++) {
		xmlNodePtr memory = found->nodesetval->nodeTab[i];
		xmlNodePtr requested = child(child(memory, "target"),
					     "requested");
		char *alias = attribute(child(memory, "alias"), "name");
		bool ours = alias && !strcmp(alias, id);
		char *text = NULL, kib[32];
		xmlBufferPtr buffer;

		xmlFree(alias);
		if (!ours || !requested)
			continue;
		snprintf(kib, sizeof(kib), "%" PRIu64, size >> 10);
		xmlNodeSetContent(requested, BAD_CAST kib);
		xmlSetProp(requested, BAD_CAST "unit", BAD_CAST "KiB");
		buffer = xmlBufferCreate();
		if (buffer && xmlNodeDump(buffer, doc, memory, 0, 0) > 0)
			text = xstrdup((const char *)xmlBufferContent(buffer));
		xmlBufferFree(buffer);
		return text;
	}
	return NULL;
}

static int virt_request(struct host *host, const struct device *dev,
			uint64_t size)
{
	struct virt *v = virt_of(host);
	virDomainPtr dom = virDomainLookupByUUIDString(v->conn, dev->uuid);
	xmlXPathObjectPtr found;
	xmlDocPtr doc;
	char *xml;
	int ret = -1;

	if (!dom)
		return fail(v);
	found = memories(v, dom, &doc);
	xml = found ? changed_xml(doc, found, dev->id, size) : NULL;
	if (xml) {
		ret = virDomainUpdateDeviceFlags(dom, xml,
						 VIR_DOMAIN_AFFECT_LIVE);
		if (ret)
			fail(v);
	} else if (found) {
		host_fail(host, "domain %s has lost its device %s", dev->domain,
			  dev->id);
	}
	free(xml);
	xmlXPathFreeObject(found);
	xmlFreeDoc(doc);
	virDomainFree(dom);
	return ret;
}

static int virt_agent(struct host *host, const struct device *dev,
		      const char *command, int seconds, char **answer,
		      char **why)
{
	virDomainPtr dom;

	dom = virDomainLookupByUUIDString(virt_of(host)->conn, dev->uuid);
	*answer = NULL;
	if (dom)
		*answer = virDomainQemuAgentCommand(dom, command, seconds, 0);
	if (!*answer)
		*why = one_line(virGetLastErrorMessage());
	if (dom)
		virDomainFree(dom);
	return *answer ? 0 : -1;
}

/* --- events --- */

static void wake(struct virt *v)
{
	pthread_mutex_lock(&v->lock);
	v->woken = true;
	pthread_cond_signal(&v->cond);
	pthread_mutex_unlock(&v->lock);
}

static void on_timer(int timer, void *opaque)
{
	(void)timer;
	(void)opaque;
}

static void on_size(virConnectPtr conn, virDomainPtr dom, const char *alias,
		    unsigned long long size, void *opaque)
{
	(void)conn;
	(void)dom;
	(void)alias;
	(void)size;
	wake(opaque);
}

static void on_close(virConnectPtr conn, int reason, void *opaque)
{
	struct virt *v = opaque;

	(void)conn;
	(void)reason;
	v->host.lost = true;
	wake(v);
}

static void *run_loop(void *opaque)
{
	struct virt *v = opaque;

	while (!v->quit && virEventRunDefaultImpl() >= 0)
		;
	return NULL;
}

static int virt_wait(struct host *host, int ms)
{
	struct virt *v = virt_of(host);
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += ms % 1000 * 1000000L;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&v->lock);
	while (!v->woken) {
		if (pthread_cond_timedwait(&v->cond, &v->lock, &until))
			break;
	}
	v->woken = false;
	pthread_mutex_unlock(&v->lock);
	if (v->host.lost)
		return host_fail(host, "libvirt has hung up");
	return 0;
}

/* --- connection --- */

static void virt_close(struct host *host)
{
	struct virt *v = virt_of(host);

	v->quit = true;
	virEventUpdateTimeout(v->timer, 0);
	pthread_join(v->loop, NULL);
	virEventRemoveTimeout(v->timer);
	if (v->event >= 0)
		virConnectDomainEventDeregisterAny(v->conn, v->event);
	virConnectUnregisterCloseCallback(v->conn, on_close);
	virConnectClose(v->conn);
	xmlCleanupParser();
	free(v);
}

static const struct host_ops virt_ops = {
	.list = virt_list,
	.request = virt_request,
	.wait = virt_wait,
	.agent = virt_agent,
	.close = virt_close,
};

static void quiet(void *opaque, virErrorPtr error)
{
	(void)opaque;
	(void)error;
}

/**
 * virt_open() - connect to libvirt
 * @uri: where to, NULL for its default
 * @readonly: nothing shall be changed
 * @why: set to why it failed, to be freed
 *
 * Return: the host, or NULL.
 */
struct host *virt_open(const char *uri, bool readonly, char **why)
{
	struct virt *v = calloc(1, sizeof(*v));
	sigset_t all, old;
	int error;

	if (!v)
		die_memory();
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->cond, NULL);
	/* It would print each error, too. */
	virSetErrorFunc(NULL, quiet);
	v->host.ops = &virt_ops;
	if (virInitialize() || virEventRegisterDefaultImpl())
		goto failed;
	/* As virsh does: a password for ssh or SASL is asked for. */
	v->conn = virConnectOpenAuth(uri, virConnectAuthPtrDefault,
				     readonly ? VIR_CONNECT_RO : 0);
	if (!v->conn)
		goto failed;
	virConnectRegisterCloseCallback(v->conn, on_close, v, NULL);
	/* Drivers without a daemon have no such thing, and need none. */
	virConnectSetKeepAlive(v->conn, ALIVE_SECONDS, ALIVE_MISSES);
	v->event = virConnectDomainEventRegisterAny(v->conn, NULL, SIZE_EVENT,
						    ON_SIZE, v, NULL);
	v->timer = virEventAddTimeout(-1, on_timer, v, NULL);
	/* Signals are for who waits. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&v->loop, NULL, run_loop, v);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!error)
		return &v->host;
	virConnectClose(v->conn);
failed:
	*why = one_line(virGetLastErrorMessage());
	free(v);
	return NULL;
}
