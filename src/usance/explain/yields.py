"""Explain yield: the steps behind treasury yield and bonus, bills, the memorandum, payouts."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby

from usance.engine.bills import Division, Held, divide, held
from usance.engine.records import ProductDay, YieldDay
from usance.engine.state import Accrual
from usance.explain.working import Lived, Opening, Quoted, TermsInForce, Working, exact
from usance.model.accounts import ProductAccount, Side
from usance.model.amounts import EXACT, NO_QUANTA, Coin, Quanta, total, total_quanta
from usance.model.hours import Day, at_slot, date_of, moment
from usance.model.periods import Period, period_of
from usance.model.terms import Bills, Bonus, YieldProduct
from usance.model.timeline import in_force
from usance.rules.yields import daily_growth


def treasury(work: Working, lived: Lived, name: str) -> None:
    """Note the steps of a holder's income from yield products, or of a product's backing."""
    if name not in lived.book.sub_accounts:
        [product] = [product for product in lived.day.products if product.product == name]
        _backing(work, lived, product)
        return
    for earned in sorted(lived.day.yields, key=lambda earned: earned.product):
        if earned.sub_account == name and earned.enrolled:
            _credits(work, lived, earned)
    _enrolled(work, lived, name)


def _credits(work: Working, lived: Lived, earned: YieldDay) -> None:
    """Note the credits of a holder: treasury yield, and a bonus."""
    coin, holder = earned.coin, earned.sub_account
    work.cite(
        TermsInForce("yield-product", earned.product, earned.venue),
        TermsInForce("sub-account", holder, ""),
        TermsInForce("commodity", coin.name, ""),
    )
    before = lived.before.accruals.get((holder, coin.name), Accrual())
    product = _terms(lived, earned.venue, earned.product)
    say = f"{earned.product}, treasury"
    hours = _principal_hours(work, earned, None, say)
    start = at_slot(lived.day.day, 0)
    growth = None
    if product.bills is None:
        rate = lived.book.yields.rates[earned.venue, earned.product].at(start)
        if rate is not None:
            work.cite(rate.source)
            growth = _growth(work, rate.rate, say)
            work.simple(say, map(coin.from_quanta, earned.enrolled), rate.rate, exact(growth, 18))
    else:
        [backing] = [backing for backing in lived.day.products if backing.product == earned.product]
        growth = _divided(work, lived, backing, product.bills)
        work.simple(say, map(coin.from_quanta, earned.enrolled), None, exact(growth, 18))
    if growth is not None:
        credit = earned.treasury
        work.credit(say, coin, ("principal hours", hours), growth, before.carry_treasury, credit)
    bonus = _bonus_of(lived, holder, earned.product)
    if bonus is not None:
        work.cite(TermsInForce("yield-bonus", earned.product, holder))
        say = f"{earned.product}, bonus"
        cap = None if bonus.cap is None else coin.whole_quanta(bonus.cap)
        hours = _principal_hours(work, earned, cap, say)
        growth = _growth(work, bonus.rate, say)
        work.credit(say, coin, ("principal hours", hours), growth, before.carry_bonus, earned.bonus)
        counted = [lent if cap is None else min(lent, cap) for lent in earned.enrolled]
        work.simple(say, map(coin.from_quanta, counted), bonus.rate, exact(growth, 18))
    work.cite(Quoted(coin.name, lived.book.operating))


def _terms(lived: Lived, venue: str, name: str) -> YieldProduct:
    product = lived.book.yields.products[venue, name].at(moment(lived.day.day))
    assert product is not None
    return product


def _bonus_of(lived: Lived, holder: str, product: str) -> Bonus | None:
    return in_force(lived.book.yields.bonuses, (holder, product), at_slot(lived.day.day, 0))


def _principal_hours(work: Working, earned: YieldDay, cap: Quanta | None, say: str) -> Quanta:
    """Note and return the sum of the principal over the hours, quanta; up to `cap` if it is set."""
    coin, values, terms, hours = earned.coin, dict[str, Decimal](), [], NO_QUANTA
    runs = [(lent, len(list(run))) for lent, run in groupby(earned.enrolled)]
    for number, (lent, count) in enumerate(((lent, n) for lent, n in runs if lent), 1):
        values |= {f"principal {number}": coin.from_quanta(lent), f"hours {number}": Decimal(count)}
        principal = f"principal {number}" if cap is None else f"min(principal {number}, cap)"
        terms.append(f"{principal} x hours {number}")
        hours = Quanta(hours + (lent if cap is None else min(lent, cap)) * count)
    if cap is not None:
        values["cap"] = coin.from_quanta(cap)
    formula = f"principal hours = {' + '.join(terms)}"
    work.step(f"{say}: principal x hours", formula, values, coin.from_quanta(hours), coin.name)
    return hours


def _growth(work: Working, rate: Decimal, say: str) -> int:
    growth = daily_growth(rate)
    formula = "growth = round(rate / 8760, 18)"
    work.step(
        f"{say}: what an hour's principal earns", formula, {"rate": rate}, exact(growth, 18), ""
    )
    return growth


def _enrolled(work: Working, lived: Lived, name: str) -> None:
    """Note the changes of the Yield memorandum."""
    for (holder, coin), after in sorted(lived.after.accruals.items()):
        before = lived.before.accruals.get((holder, coin), Accrual()).enrolled
        if holder != name or after.enrolled == before:
            continue
        unit = lived.book.coins[coin]
        values = {
            "enrolled": unit.from_quanta(after.enrolled),
            "enrolled before": unit.from_quanta(before),
        }
        work.step(
            f"{coin}: change of the Yield memorandum, what is lent and earns at the end of the day",
            "change = enrolled - enrolled before",
            values,
            unit.from_quanta(Quanta(after.enrolled - before)),
            coin,
        )
        work.cite(Opening(name, Side.YIELD, coin), TermsInForce("sub-account", name, ""))


# Backing of a product


def _backing(work: Working, lived: Lived, backing: ProductDay) -> None:
    """Note the accretion of bills, and its division among the holders."""
    coin = backing.coin
    product = _terms(lived, backing.venue, backing.product)
    assert product.bills is not None
    _divided(work, lived, backing, product.bills)
    shares = {
        f"credit of {holder.sub_account}": coin.from_quanta(holder.treasury)
        for holder in lived.day.yields
        if holder.product == backing.product and holder.enrolled
    }
    given = coin.from_quanta(backing.distributed)
    work.total("distributed to holders", "distributed", shares, coin.name, given)
    work.step(
        "left over for the next day",
        "left over after = distributable - distributed",
        {"distributable": _distributable(backing), "distributed": given},
        backing.left_over,
        coin.name,
    )


def _distributable(backing: ProductDay) -> Decimal:
    return EXACT.subtract(
        EXACT.add(backing.income, backing.before), backing.coin.from_quanta(backing.fee)
    )


def _divided(work: Working, lived: Lived, backing: ProductDay, bills: Bills) -> int:
    """Note a product's income, its fee and the divided amount; return the growth, 1e-18."""
    name, coin, book = backing.product, backing.coin, lived.book
    work.cite(
        TermsInForce("yield-product", name, backing.venue),
        TermsInForce("commodity", coin.name, ""),
        Opening(name, ProductAccount.ACCRETION, coin.name),
    )
    portfolio = lived.after.portfolio(name)
    lots = list(held(portfolio, bills, book.yields.maturities, coin, lived.day.day))
    for day, of_day in sorted(book.yields.reserved.get(name, {}).items()):
        bought = {(lot.bill, lot.lot) for lot in lots}
        for kept in of_day:
            if day <= lived.day.day and (kept.commodity, kept.lot) in bought:
                work.cite(kept.source)
    incomes: dict[str, Decimal] = {}
    for number, lot in enumerate(lots, 1):
        work.cite(TermsInForce("commodity", lot.bill, ""))
        incomes[f"income {number} of {lot.bill}"] = _accretion(work, lived, lot, bills, coin)
    work.total("income of the day", "income", incomes, coin.name, backing.income)
    formula, fee = "fee = 0", dict[str, Decimal]()
    if backing.income > 0:
        formula = "fee = ceil(income x fee rate / quantum) x quantum"
        fee = {"income": backing.income, "fee rate": bills.fee, "quantum": coin.quantum}
    charged = coin.from_quanta(backing.fee)
    work.step("management fee, rounded up", formula, fee, charged, coin.name)
    work.step(
        "what is divided among holders",
        "distributable = income - fee + left over",
        {"income": backing.income, "fee": charged, "left over": backing.before},
        _distributable(backing),
        coin.name,
    )
    return _share(work, lived, backing, bills)


def _share(work: Working, lived: Lived, backing: ProductDay, bills: Bills) -> int:
    """Note the share of an hour's principal in the divided amount; return the growth, 1e-18."""
    coin = backing.coin
    holders = [holder for holder in lived.day.yields if holder.product == backing.product]
    hours = {h.sub_account: total_quanta(h.enrolled) for h in holders if h.enrolled}
    parts = {
        f"principal hours of {holder}": coin.from_quanta(sums) for holder, sums in hours.items()
    }
    total_hours = total_quanta(hours.values())
    work.total(
        "principal x hours of all holders",
        "total hours",
        parts,
        coin.name,
        coin.from_quanta(total_hours),
    )
    division: Division = divide(backing.income, backing.before, bills.fee, total_hours, coin)
    values = {"distributable": division.distributable, "total hours": coin.from_quanta(total_hours)}
    shared = total_hours > 0 and division.distributable > 0
    work.step(
        "what an hour's principal gets, rounded down",
        "growth = floor(distributable / total hours, 18)" if shared else "growth = 0",
        values if shared else {},
        exact(division.growth, 18),
        "",
    )
    return division.growth


def _accretion(work: Working, lived: Lived, lot: Held, bills: Bills, coin: Coin) -> Decimal:
    """Note the value of a lot in the evening before and in this one; return its accretion."""
    age = lived.day.day - lot.lot.day + 1
    days = lot.maturity - lot.lot.day
    say = f"{lot.bill} bought {date_of(lot.lot.day)}"
    for day, worth, when in ((age - 1, lot.before, "the evening before"), (age, lot.worth, "now")):
        work.step(
            f"{say}: worth {when}, day {max(day, 0)} of {days}",
            *_worth(lot, day, days, bills, coin),
            worth,
            coin.name,
        )
    return work.step(
        f"{say}: income of the day",
        "income = worth - worth before",
        {"worth": lot.worth, "worth before": lot.before},
        EXACT.subtract(lot.worth, lot.before),
        coin.name,
    )


def _worth(
    lot: Held, day: int, days: int, bills: Bills, coin: Coin
) -> tuple[str, Mapping[str, Decimal]]:
    """Return the formula and the values of a lot's value at the end of a day of its life."""
    values = {"cost": lot.lot.cost, "face": lot.face}
    if day <= 0:
        return "worth = cost x face", values
    if day >= days:
        return "worth = face", {"face": lot.face}
    values |= {"day": Decimal(day), "days": Decimal(days), "quantum": coin.quantum}
    grown = "cost x face x (1 / cost)^(day / days)"
    if bills.straight:
        grown = "(cost x face + face x (1 - cost) x day / days)"
    return f"worth = round({grown} / quantum) x quantum", values


# Payouts


def payout(work: Working, lived: Lived, name: str) -> None:
    """Note the steps of a holder's payouts, or of the payouts of a product to its holders."""
    if name in lived.book.sub_accounts:
        for venue, product, period in _due(lived, name):
            _paid(work, lived, name, venue, product, period)
        return
    coin, parts = None, dict[str, Decimal]()
    for holder in sorted(lived.book.sub_accounts):
        for venue, product, period in _due(lived, holder):
            if product == name:
                coin = lived.book.coins[_terms(lived, venue, product).asset]
                unpaid = lived.before.accruals[holder, coin.name].unpaid[period]
                parts[f"treasury of {holder} for {period.name}"] = coin.from_quanta(unpaid[0])
                work.cite(TermsInForce("yield-product", product, venue))
                work.cite(Opening(name, ProductAccount.PAYABLE, coin.name))
    if coin is not None:
        work.total("paid out of cash", "paid", parts, coin.name, total(parts.values()))


def _due(lived: Lived, holder: str) -> Sequence[tuple[str, str, Period]]:
    """Return venue, product and period of each payout that a holder got, in order."""
    book, day = lived.book, lived.day.day
    return [
        (venue, name, period)
        for (venue, name), timeline in sorted(book.yields.products.items())
        if venue == book.venue(holder) and (product := timeline.at(moment(day))) is not None
        for accrual in [lived.before.accruals.get((holder, product.asset), Accrual())]
        for period in sorted(accrual.unpaid)
        if period.end < day
        and any(accrual.unpaid[period])
        and (holder, name, period) not in book.yields.settled
    ]


def _paid(
    work: Working, lived: Lived, holder: str, venue: str, product: str, period: Period
) -> None:
    """Note the sum of a period's credits, which is its payout."""
    coin = lived.book.coins[_terms(lived, venue, product).asset]
    work.cite(
        TermsInForce("yield-product", product, venue),
        Opening(holder, Side.ACCRUED_YIELD, coin.name),
    )
    sums: dict[str, Decimal] = {}
    unpaid = lived.before.accruals[holder, coin.name].unpaid[period]
    for index, source in enumerate(("treasury", "bonus")):
        days = lived.credits.get((holder, product), {})
        parts = {
            f"credit {date_of(day)}": coin.from_quanta(of_day[index])
            for day, of_day in days.items()
            if of_day[index] and _is_of(lived, venue, product, day, period)
        }
        if parts or unpaid[index]:
            say = f"{product}: {source} of {period.name}"
            sums[source] = work.total(
                say, source, parts, coin.name, coin.from_quanta(unpaid[index])
            )
    work.total(
        f"{product}: payout for {period.name}",
        "payout",
        sums,
        coin.name,
        coin.from_quanta(total_quanta(unpaid)),
    )


def _is_of(lived: Lived, venue: str, product: str, day: Day, period: Period) -> bool:
    """Tell whether a day's credits wait for the payout of a period."""
    terms = lived.book.yields.products[venue, product].at(moment(day))
    return terms is not None and period_of(terms.payout, day) == period
