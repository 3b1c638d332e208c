"""Words and sentences in the style of the site's editors, for generated pages."""

from __future__ import annotations

import re

from hypothesis import strategies as st

PLACES = [
    "杭州",
    "宁波",
    "温州",
    "嘉兴",
    "湖州",
    "绍兴",
    "金华",
    "衢州",
    "舟山",
    "台州",
    "丽水",
    "义乌",
    "桐庐",
    "安吉",
    "浦江县",
    "滨江区",
]
BODIES = [
    "市生态环境局",
    "县渔业合作社",
    "社区卫生服务中心",
    "省交通集团",
    "浙江大学课题组",
    "街道办事处",
    "园区管委会",
]
DOES = ["启动", "推进", "完成", "公布", "升级", "新增", "建成", "试点", "推出", "叫停"]
THINGS = [
    "老旧小区改造",
    "跨海大桥检修",
    "海塘加固工程",
    "三条公交专线",
    "中小学课后服务",
    "数字乡村平台",
    "5G＋医疗项目",
    "污水零直排区",
    "AI导诊系统",
    "人才公寓",
    "亚运场馆",
    "垃圾分类新规",
    "G20峰会旧址",
    "“最多跑一次”改革",
    "ＬＮＧ储运站",
    "老年食堂",
    "更多公共自行车",
    "新闻出版中心",
    "评论员培训班",
    "摄影大赛",
    "来源可追溯的农贸市场",
    "客户端版社保卡",
]
BUZZ = [
    "圈粉",
    "上新",
    "加速度",
    "绿水青山",
    "一网通办",
    "朝九晚十",
    "夜校先生",
    "最后一公里",
    "NO.1",
    "关注",
    "点赞",
    "收藏",
    "在线",
]
TIMES = [
    "昨天下午",
    "今年以来",
    "8月11日",
    "去年底",
    "国庆假期",
    "5日上午",
    "入夏后",
    "2016年",
    "“十三五”期间",
]
CLAUSES = [
    "居民不出门就能办成事",
    "投资约1.25亿元",
    "覆盖全市90%以上的村庄",
    "台风来了也不怕",
    "有关部门正在调查",
    "年轻人愿意回来了",
    "排队时间缩短到10分钟以内",
    "沿线每公里设一个监测点",
    "PM2.5浓度下降了3.2微克/立方米",
    "票价不变",
    "相关标准(GB/T 1234)已发布",
    "“老手艺不能丢”成了共识",
    "扫描二维码就能查到食材来源",
    "点击更多按钮即可分享给家人",
    "户外广告牌全部拆除",
    "标签上写着产地和日期",
    "网友的评论超过2000条",
    "经费来源：财政补助一半，村集体自筹一半",
    "编辑出版了《村志》",
    "照片由无人机拍摄",
]
SAYINGS = [
    "路修好了，客人就多了",
    "数据多跑路，群众少跑腿",
    "我在这里守了30年，头一回见这么清的水",
    "账算得过来，人就回来了",
    "我当过记者，也当过编辑",
    "相关新闻我每天都看，标签一看就懂",
    "作者是谁并不重要，故事要好",
]
SPEAKERS = ["第五代传人俞师傅", "村民老潘", "带队的工程师", "一位家住河边的居民", "店主陈女士"]

SURNAMES = [*list("王李张刘陈杨黄赵吴周徐孙朱胡郭何林罗郑梁谢宋"), "欧阳", "诸葛"]
GIVEN = [
    "帆",
    "晨",
    "磊",
    "梅",
    "小明",
    "伊伲",
    "巨峰",
    "晓恩",
    "知行",
    "乐平",
    "旭明",
    "思远",
    "丹",
    "志阳",
    "丽娟",
    "海娜",
]
OUTLETS = ["浙江在线", "浙江日报", "钱江晚报", "本报", "浙江新闻客户端", "新华社", "本网"]
SOURCES = [
    "浙江在线",
    "浙江日报",
    "钱江晚报",
    "新华社",
    "人民日报海外版",
    "中国新闻网",
    "“浙江宣传”微信公众号",
    "浙江新闻客户端",
    "安吉发布",
    "光明网",
]
REPORTERS = ("记者", "见习记者", "首席记者", "通讯员", "特约记者", "全媒体记者")
EDITORS = ("责任编辑", "编辑", "责编", "值班主任", "审核")
TAG_WORDS = (
    "督察 生态文明 整改 环境保护 清单 G20 峰会 5G 数字经济 非遗 最多跑一次 乡村振兴 PM2.5".replace(
        "G20 峰会", "G20_峰会"
    ).split()
)
CHANNELS = (
    ("要闻", "zjnews"),
    ("时政", "china"),
    ("评论", "opinion"),
    ("财经", "fin"),
    ("民生", "ms"),
    ("教育", "edu"),
)
# What lists beside an article link to.
OTHERS = (
    "湖州：一根毛笔的百年传承",
    "绍兴黄酒开酿节下周举行",
    "衢州试点“智慧斑马线”",
    "舟山渔民喜迎开渔",
)
COLUMNS = ["浙江纵横", "政经新闻", "杭州新闻", "企业新闻", "热点关注", "原创", "民生", "图片新闻"]


def names() -> st.SearchStrategy[str]:
    """A surname and one or two characters; sometimes 阿卜杜拉·买买提."""
    chinese = st.builds(lambda a, b: a + b, st.sampled_from(SURNAMES), st.sampled_from(GIVEN))
    return st.one_of(chinese, chinese, chinese, st.sampled_from(["阿卜杜拉·买买提", "古丽·艾山"]))


_HEADLINES = (
    "{place}{does}{thing}",
    "{place}：{thing}{buzz}",
    "{number}个{thing}落户{place}",
    "“{buzz}”让{thing}走进{place}",
    "{place}{does}{thing} 今年将惠及{number}户",
    "{place}的{thing}如何“{buzz}”？",
    "{does}{thing}，{place}做对了什么",
)
_SENTENCES = (
    "{time}，{place}{body}{does}{thing}，{one}。",
    "“{saying}。”{speaker}说。",
    "{body}负责人介绍，{one}，{other}。",
    "截至目前，{place}共{does}{thing}{number}个，同比增长{percent}%。",
    "怎么办？{place}的办法是{does}{thing}：{one}；{other}。",
    "记者在{place}看到，{one}……",
    "{saying}——这是{place}人的共识！",
)
_CAPTIONS = (
    "{place}的{thing}",
    "{place}的{thing}。{name} 摄",
    "{place}的{thing} 图源：新华社",
    "{place}的{thing}。（资料图）",
    "图为{place}的{thing}现场。",
    "{place}的{thing}（记者 {name} 摄）",
)


def headlines() -> st.SearchStrategy[str]:
    return _filled(_HEADLINES)


def sentences() -> st.SearchStrategy[str]:
    return _filled(_SENTENCES)


def captions() -> st.SearchStrategy[str]:
    return _filled(_CAPTIONS)


@st.composite
def _filled(draw: st.DrawFn, forms: tuple[str, ...]) -> str:
    """One of the forms, with words filled in."""
    form = draw(st.sampled_from(forms))
    return form.format_map({name: draw(_WORDS[name]) for name in re.findall(r"{(\w+)}", form)})


@st.composite
def paragraphs(draw: st.DrawFn) -> str:
    # The last sentence ends with a full stop: a paragraph of one short question would be a heading.
    some = draw(st.lists(sentences(), min_size=1, max_size=3))
    place, thing = draw(st.sampled_from(PLACES)), draw(st.sampled_from(THINGS))
    return f"{''.join(some)}据悉，{place}的{thing}也已列入计划。"


@st.composite
def tables(draw: st.DrawFn) -> list[str]:
    """Rows of cells, separated by tabs."""
    places = draw(st.lists(st.sampled_from(PLACES), min_size=2, max_size=4, unique=True))
    rows = [
        f"{place}\t{draw(st.integers(1, 999))}\t{draw(st.integers(1, 99))}%" for place in places
    ]
    return ["地区\t数量（个）\t增幅", *rows]


def tags() -> st.SearchStrategy[list[str]]:
    some = st.lists(st.sampled_from(TAG_WORDS), max_size=5, unique=True)
    return some.map(lambda found: [tag.replace("_", " ") for tag in found])


def breadcrumbs() -> st.SearchStrategy[list[str]]:
    below = st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=2, unique=True)
    return below.map(lambda names: ["浙江在线", "浙江新闻", *names])


_WORDS: dict[str, st.SearchStrategy[str]] = {
    "place": st.sampled_from(PLACES),
    "body": st.sampled_from(BODIES),
    "does": st.sampled_from(DOES),
    "thing": st.sampled_from(THINGS),
    "buzz": st.sampled_from(BUZZ),
    "time": st.sampled_from(TIMES),
    "one": st.sampled_from(CLAUSES),
    "other": st.sampled_from(CLAUSES),
    "saying": st.sampled_from(SAYINGS),
    "speaker": st.sampled_from(SPEAKERS),
    "name": names(),
    "number": st.integers(2, 9999).map(str),
    "percent": st.decimals(1, 99, places=1).map(str),
}
