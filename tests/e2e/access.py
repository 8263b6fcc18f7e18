"""What each RPC names, so that it can be called with what is somebody else's.

Every method of the contract has a row in one of the tables below; test_access.py refuses a method without one.
"""
import os
import re
import types
import uuid

from keyed import ROLES

# What a request may name, and how something looks that nobody has.
KINDS = ("order", "declined", "shipment", "fulfillment", "job", "key", "sku", "hall", "customer")


def nobodys(of):
    """The same kinds, of the same lengths, and none of them is there."""
    made = {}
    for kind in KINDS:
        text = getattr(of, kind)
        made[kind] = str(uuid.uuid4()) if re.fullmatch(r"[0-9a-f-]{36}", text) else uuid.uuid4().hex[:len(text)].ljust(len(text), "x")
    return types.SimpleNamespace(**made)


def fresh():
    return str(uuid.uuid4())


# {method: [request that names things of `i`]}, with `p` the contract's modules.  An order of its own is at its manual
# location, so that it may still be cancelled, picked and packed; its shipment is another's, which was delivered.
NAMES = {
    "OrderService/GetOrder": lambda p, i: [p.order_service.GetOrderRequest(order_id=i.order, with_events=True)],
    "OrderService/BatchGetOrders": lambda p, i: [p.order_service.BatchGetOrdersRequest(order_ids=[i.order, i.declined])],
    "OrderService/GetOrderStatus": lambda p, i: [p.order_service.GetOrderStatusRequest(order_id=i.order)],
    "OrderService/WatchOrder": lambda p, i: [p.order_service.WatchOrderRequest(order_id=i.order)],
    "InventoryService/ReceiveStock": lambda p, i: [p.inventory_service.ReceiveStockRequest(
        request_id=fresh(), location=i.hall, lines=[p.inventory_service.StockLine(sku=i.sku, quantity=1)])],
    "InventoryService/AdjustStock": lambda p, i: [p.inventory_service.AdjustStockRequest(
        request_id=fresh(), location=i.hall, sku=i.sku, kind="ADJUSTMENT_KIND_COUNT", delta=-1, reason="theft")],
    "InventoryService/GetAvailability": lambda p, i: [p.inventory_service.GetAvailabilityRequest(skus=[i.sku])],
    "InventoryService/ListStockMovements": lambda p, i: [
        p.inventory_service.ListStockMovementsRequest(sku=i.sku), p.inventory_service.ListStockMovementsRequest(location=i.hall),
        p.inventory_service.ListStockMovementsRequest(order_id=i.order)],
    "ShippingService/GetLabel": lambda p, i: [p.shipping_service.GetLabelRequest(shipment_id=i.shipment, format="LABEL_FORMAT_ZPL")],
    "ShippingService/GetShipment": lambda p, i: [p.shipping_service.GetShipmentRequest(shipment_id=i.shipment)],
    "ShippingService/VoidLabel": lambda p, i: [p.shipping_service.VoidLabelRequest(request_id=fresh(), shipment_id=i.shipment)],
    "ShippingService/ConfirmHandover": lambda p, i: [p.shipping_service.ConfirmHandoverRequest(
        site="dock", report_id=fresh(), shipment_ids=[i.shipment])],
    "ShippingService/RecordTrackingEvent": lambda p, i: [p.shipping_service.RecordTrackingEventRequest(
        site="dock", report_id=fresh(), shipment_id=i.shipment, status="in_transit", event_time={"seconds": 1700000000})],
    "PaymentService/GetPayment": lambda p, i: [p.payment_service.GetPaymentRequest(order_id=i.order, group=1)],
    "PaymentService/ListPayments": lambda p, i: [p.payment_service.ListPaymentsRequest(order_id=i.order)],
    "PaymentService/RetryPayment": lambda p, i: [p.payment_service.RetryPaymentRequest(
        order_id=i.declined, group=0, payment_method="pm_card_visa", request_id=fresh())],
    "FulfillmentService/ListFulfillmentOrders": lambda p, i: [
        p.fulfillment_service.ListFulfillmentOrdersRequest(order_id=i.order),
        p.fulfillment_service.ListFulfillmentOrdersRequest(location=i.hall)],
    "OpsService/ListJobs": lambda p, i: [p.ops_service.ListJobsRequest(order_id=i.order)],
    "OpsService/GetJob": lambda p, i: [p.ops_service.GetJobRequest(job_id=i.job)],
    "OpsService/RetryJobs": lambda p, i: [p.ops_service.RetryJobsRequest(job_id=i.job, request_id=fresh())],
    "OpsService/CancelJob": lambda p, i: [p.ops_service.CancelJobRequest(job_id=i.job, request_id=fresh())],
    "KeyService/RevokeKey": lambda p, i: [p.key_service.RevokeKeyRequest(key_id=i.key)],
    "OrderService/ListOrders": lambda p, i: [p.order_service.ListOrdersRequest(customer=i.customer)],
    "OrderService/PlaceOrder": lambda p, i: [p.order_service.PlaceOrderRequest(
        request_id=fresh(), customer=i.customer, payment_method="pm_card_visa",
        lines=[p.order_service.NewOrderLine(sku=i.sku, quantity=1)],
        ship_to=p.place.Address(name="Ada", street="Ring 1", city="Hamburg", postal_code="20095", country_code="DE"))],
    # What ends what the others ask for comes last.
    "FulfillmentService/ConfirmPick": lambda p, i: [p.fulfillment_service.ConfirmPickRequest(
        fulfillment_order_id=i.fulfillment, site="hall", report_id=fresh())],
    "FulfillmentService/ConfirmPack": lambda p, i: [p.fulfillment_service.ConfirmPackRequest(
        fulfillment_order_id=i.fulfillment, site="hall", report_id=fresh())],
    "OrderService/CancelOrder": lambda p, i: [p.order_service.CancelOrderRequest(order_id=i.order, request_id=fresh())],
}

# Those whose answer to what is not there is no error, or one that names the field.
NO_ERROR = {"OrderService/BatchGetOrders", "OrderService/ListOrders", "InventoryService/ListStockMovements",
            "PaymentService/ListPayments", "FulfillmentService/ListFulfillmentOrders", "OpsService/ListJobs"}
INVALID = {"OrderService/PlaceOrder", "InventoryService/ReceiveStock", "InventoryService/AdjustStock", "InventoryService/GetAvailability"}

# {method: [request that lists all there is to the caller]}
LISTS = {
    "OrderService/ListOrders": lambda p: [p.order_service.ListOrdersRequest(page_size=200)],
    "PaymentService/ListPayments": lambda p: [p.payment_service.ListPaymentsRequest(state="PAYMENT_STATE_DECLINED", page_size=200)],
    "FulfillmentService/ListFulfillmentOrders": lambda p: [p.fulfillment_service.ListFulfillmentOrdersRequest(page_size=200)],
    "OpsService/ListJobs": lambda p: [p.ops_service.ListJobsRequest(state="JOB_STATE_READY", page_size=200)],
    "OpsService/ListStuckOrders": lambda p: [p.ops_service.ListStuckOrdersRequest(unmoved_seconds=1, page_size=200)],
    "KeyService/ListKeys": lambda p: [p.key_service.ListKeysRequest(page_size=200, with_revoked=True)],
}

# What names nothing that somebody else could have.
FREE = {
    "InventoryService/UpsertItems": "an SKU is the tenant's own word",
    "InventoryService/CreateLocation": "so is a location's code",
    "KeyService/CreateKey": "a key is made, with a kid of the tenant's own",
    "OpsService/ListCallRecords": "the tenant's calls, which name what they named; test_record.py",
    "OpsService/VerifyCallRecords": "the same; it tells hashes and numbers",
    "OrderService/WatchOrders": "it is for what comes; test_feed_many.py",
}

# Fields that are the caller's own words.
OWN_WORDS = {"request_id", "report_id"}


def methods(p):
    """{"OrderService/GetOrder": its descriptor} of the contract."""
    found = {}
    for module in vars(p).values():
        for service in module.DESCRIPTOR.services_by_name.values():
            found.update({service.name + "/" + m.name: m for m in service.methods})
    return found


def ids_named(message):
    """Fields of a request by which somebody's thing could be meant."""
    return [f.name for f in message.fields if re.search(r"_ids?$", f.name) and f.name not in OWN_WORDS]


def policy():
    """{path: (scope, {role: reach})}, of the table."""
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "server", "auth", "policy_table.h")) as f:
        rows = re.findall(r'X\("([^"]+)", +"([^"]*)", +(?:LOUD|QUIET), +([A-Z]+(?:, +[A-Z]+){5})\)', f.read())
    return {path: (scope, dict(zip(ROLES, re.split(", +", cells)))) for path, scope, cells in rows}


def path_of(method):
    return "/orderd.v1." + method


def answer_to(k, credential, path, request=b""):
    """(status, message, details or answer) as they came; of a stream its first message."""
    call = k.channel.stream_stream(path)(iter([request]), metadata=[("authorization", "Bearer " + credential)], timeout=20)
    try:
        return "OK", "", next(call, b"")
    except Exception as e:  # grpc.RpcError, which grpc.Call is
        details = [value for key, value in call.trailing_metadata() or () if key == "grpc-status-details-bin"]
        return e.code().name, e.details(), b"".join(details)
    finally:
        call.cancel()


def without(answer, named):
    """An answer in which the names that were asked with have no look of their own."""
    status, message, data = answer
    for kind in KINDS:
        text = getattr(named, kind)
        message, data = message.replace(text, "<%s>" % kind), data.replace(text.encode(), b"<%s>" % kind.encode())
    return status, message, data
